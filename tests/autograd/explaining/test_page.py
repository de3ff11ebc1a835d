"""The page that goes through the trace, in a real browser: headless Chromium, on files, by keyboard.

What the page shows is compared with the engine: with what `backward()` leaves in `grad`, and with its chain rule
carried out here, step by step.
"""

from __future__ import annotations

import pytest

from autograd import Value, dot, explain, tanh
from autograd.graph import topological_order


def two_layers() -> Value:
    """A network of two layers on one example: fused neurons, Values that are used twice, flows of either sign."""
    x = [Value(0.5, label="x1"), Value(-1.5, label="x2")]
    hidden = []
    for unit, weights in enumerate([[0.7, -0.3], [-1.1, 0.4]], 1):
        w = [Value(weight, label=f"w{unit}[{i}]") for i, weight in enumerate(weights)]
        hidden.append(tanh(dot(w, x, Value(0.1 * unit, label=f"b{unit}"))))
    output = dot([Value(1.3), Value(-0.9)], hidden) + hidden[0] * hidden[0]
    loss = (output - 1.0) ** 2
    loss.label = "loss"
    return loss


STATE = """() => {
  const shown = (element) => getComputedStyle(element).visibility === "visible" ? element.textContent : "";
  const svg = document.querySelector(".drawing svg");
  const part = (box, name) => shown(box.querySelector(`[data-part=${name}]`)).replace(`${name} `, "");
  const boxes = [...svg.querySelectorAll("[role=button]")];
  const names = (selector) => [...svg.querySelectorAll(selector)].map((g) => g.dataset.name).sort();
  const inside = (text, box) => {
    const [t, b] = [text, box.querySelector("rect")].map((e) => e.getBBox());
    return !text.textContent || (t.x >= b.x && t.x + t.width <= b.x + b.width);
  };
  const hover = (box) => {
    box.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
    return box.querySelector("title").textContent;
  };
  return {
    said: document.getElementById("now").innerText,
    numbers: [...document.querySelectorAll("#now data")].map((number) => number.value),
    data: Object.fromEntries(boxes.map((box) => [box.dataset.name, part(box, "data")])),
    grad: Object.fromEntries(boxes.map((box) => [box.dataset.name, part(box, "grad")])),
    fits: boxes.every((box) => [...box.querySelectorAll("text")].every((text) => inside(text, box))),
    active: names(".active"), dimmed: names(".dimmed"),
    hidden: [...svg.querySelectorAll("[data-name*=' '] text")].filter((text) => shown(text) === "").length,
    hovers: Object.fromEntries(boxes.map((box) => [box.dataset.name, hover(box)])),
    current: [...document.querySelectorAll("[aria-current]")].map((line) => line.innerText),
    unknown: [...document.querySelectorAll("table td > div")].filter((line) => line.innerText.includes("?")).length,
    slider: document.getElementById("step").value,
  };
}"""


@pytest.mark.usefixtures("program")
def test_a_whole_pass_by_keyboard_shows_the_engines_numbers(visit):
    loss = two_layers()
    page = visit(explain(loss))
    order = topological_order(loss)
    place = {node: i for i, node in enumerate(order)}
    edges = [f"v{place[p]} o{place[n]} {k}" for n in order for k, p in enumerate(n.parents)]
    circles = [f"o{place[n]}" for n in order if n.parents]
    outs = [f"o{place[n]} v{place[n]}" for n in order if n.parents]
    state = page.evaluate(STATE)
    step = 0

    def forward():
        nonlocal step
        page.keyboard.press("ArrowRight")
        step += 1
        state = page.evaluate(STATE)
        assert (state["slider"], state["fits"]) == (str(step), True)
        assert len(state["current"]) == 1
        assert state["current"][0] in state["said"]
        return state

    # The leaves are known, and nothing else.
    known = {node for node in order if not node.parents}
    assert state["data"] == {f"v{i}": f"{n.data:.4g}" if n in known else "" for n, i in place.items()}
    assert set(state["grad"].values()) == {""}
    assert state["hidden"] == len(edges)
    assert state["unknown"] == len(circles) + len(edges) + 1 + len(known)

    # Evaluation.
    for node in order:
        if not node.parents:
            continue
        state = forward()
        known.add(node)
        i = place[node]
        mine = [f"v{place[p]} o{i} {k}" for k, p in enumerate(node.parents)]
        assert state["numbers"][-1] == repr(node.data)
        assert state["data"] == {f"v{j}": f"{n.data:.4g}" if n in known else "" for n, j in place.items()}
        assert set(state["grad"].values()) == {""}
        assert state["active"] == sorted([f"v{i}", f"o{i}", f"o{i} v{i}", *mine])
        later = [j for n, j in place.items() if n not in known]
        assert [name for name in state["dimmed"] if name[0] == "v" and " " not in name] == sorted(
            f"v{j}" for j in later
        )
        assert {name for name, hover in state["hovers"].items() if hover} == {f"v{place[n]}" for n in known}
        assert not any("grad" in hover for hover in state["hovers"].values())
    assert state["dimmed"] == []
    assert state["hidden"] == 0

    # The chain rule, in the engine's order.
    loss.backward()
    gradients = {loss: 1.0}
    uses = {node: sum(n.parents.count(node) for n in order) for node in order}
    passed: set[str] = set()
    state = forward()
    assert (state["numbers"], state["active"]) == (["1.0"], [f"v{place[loss]}"])
    assert set(state["dimmed"]) == {*(f"v{i}" for n, i in place.items() if n is not loss), *circles, *edges, *outs}
    for node in reversed(order):
        for k, (parent, derivative) in enumerate(zip(node.parents, node.local_derivatives, strict=True)):
            state = forward()
            added = [repr(gradients[node]), repr(derivative)]
            before = [repr(gradients[parent])] if parent in gradients else []
            gradients[parent] = gradients.get(parent, 0.0) + derivative * gradients[node]
            uses[parent] -= 1
            assert state["numbers"] == [*before, *added, repr(gradients[parent])]
            assert ("+=" in state["said"]) == bool(before)
            assert state["grad"] == {f"v{i}": f"{gradients[n]:.4g}" if n in gradients else "" for n, i in place.items()}
            edge, i = f"v{place[parent]} o{place[node]} {k}", place[node]
            passed |= {edge, f"o{i}", f"o{i} v{i}"}
            assert state["active"] == sorted([edge, f"o{i}", f"o{i} v{i}", f"v{place[parent]}"])
            reached = passed | {f"v{place[n]}" for n in gradients}
            assert set(state["dimmed"]) == {*(f"v{i}" for i in place.values()), *circles, *edges, *outs} - reached
            complete = {f"v{i}" for n, i in place.items() if n in gradients and not uses[n]}
            assert {name for name, hover in state["hovers"].items() if "grad" in hover} == complete

    # Everything is what backward() computed.
    assert gradients == {node: node.grad for node in order}
    assert all(f"data {n.data!r}\ngrad {n.grad!r}" in state["hovers"][f"v{i}"] for n, i in place.items())
    assert (state["dimmed"], state["unknown"]) == ([], 0)
    assert page.locator("#count").inner_text() == f"Step {step} of {step}"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(STATE) == state
    assert page.errors == []

    # And back.
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert page.locator("#count").inner_text() == f"Step {step - 3} of {step}"
    page.keyboard.press("Home")
    assert page.evaluate(STATE)["unknown"] > 0
    assert page.requests == [page.url]


def test_a_gradient_has_room_on_its_way(visit):
    a = Value(1.0, label="a")
    page = visit(explain(a * -0.012345678 + a * 1.012345678))
    seen = []
    for _ in range(8):
        page.keyboard.press("ArrowRight")
        state = page.evaluate(STATE)
        assert state["fits"]
        seen.append(state["grad"]["v0"])
    assert seen[-2:] == ["1.012", "1"]


def small() -> Value:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b + a
    c.label = "c"
    return c


# ---- By keyboard alone, and for screen readers.


def test_every_control_is_reached_and_works_by_keyboard(visit):
    page = visit(explain(small()))
    focused = """() => document.activeElement.ariaLabel ?? document.activeElement.querySelector("text")?.textContent
      ?? document.activeElement.closest("label, button").innerText.trim()"""
    order = []
    for _ in range(15):
        page.keyboard.press("Tab")
        order.append(page.evaluate(focused))
    assert order[:8] == ["Step", "Start", "← Back", "Forward →", "End", "▶ Play", "Pace", "all digits"]
    assert order[8:11] == ["Drawing of the graph", "a", "Trace"]
    assert [name.split()[0] for name in order[11:]] == ["Value", "data", "data,", "a"]
    for _ in range(4):
        page.keyboard.press("Shift+Tab")

    count = page.locator("#count")

    def at(step):
        return count.inner_text() == f"Step {step} of 7"

    page.keyboard.press("ArrowRight")  # in the trace, this scrolls
    assert at(0)
    for _ in range(7):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert at(2)
    page.keyboard.press("ArrowRight")  # on a button, as anywhere
    page.keyboard.press("Alt+ArrowRight")  # the browser's own
    assert at(3)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert at(2)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    for key, step in [("ArrowRight", 3), ("End", 7), ("ArrowLeft", 6), ("Home", 0), ("ArrowLeft", 0)]:
        page.keyboard.press(key)
        assert at(step), key


def test_constants_are_known_from_the_start(visit):
    a = Value(4.0, label="a")
    page = visit(explain(dot([a, 2.5], [-3.0, a], -1.0) + 0.5 * a))
    lines = page.locator("table td:first-child > div")
    assert lines.all_inner_texts() == [
        "a = 4",
        "v1 = (-1) + a * (-3) + 2.5 * a = (-1) + ? * (-3) + 2.5 * ? = ?",
        "v2 = 0.5 * a = 0.5 * ? = ?",
        "v3 = v1 + v2 = ? + ? = ?",
    ]
    page.keyboard.press("ArrowRight")
    assert lines.nth(1).inner_text() == "v1 = (-1) + a * (-3) + 2.5 * a = (-1) + 4 * (-3) + 2.5 * 4 = -3"
    page.locator("#digits").check()
    assert lines.nth(2).inner_text() == "v2 = 0.5 * a = 0.5 * ? = ?"


def test_all_digits_are_a_key_away(visit):
    third = Value(1.0, label="a") / 3.0
    page = visit(explain(third, digits=2))
    page.keyboard.press("ArrowRight")
    assert page.locator("#now code").inner_text() == "v1 = a / 3 = 1 / 3 = 0.33"
    page.locator("#digits").focus()
    page.keyboard.press("Space")
    assert page.locator("#now code").inner_text() == f"v1 = a / 3.0 = 1.0 / 3.0 = {third.data!r}"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator("#now code").inner_text().endswith(f"= 1.0 * {1 / 3!r} = {1 / 3!r}")
    assert repr(third.data) in page.locator(".trace table").inner_text()


def test_screen_readers_are_told_what_happens(visit):
    page = visit(explain(small()))
    now, slider = page.locator("#now"), page.get_by_role("slider", name="Step")
    assert [now.get_attribute(name) for name in ("role", "aria-live", "aria-atomic")] == ["status", "polite", "true"]
    said = []
    for step in range(8):
        assert slider.get_attribute("aria-valuetext") == f"{step} of 7"
        said.append(now.locator("p").first.inner_text())
        page.keyboard.press("ArrowRight")
    assert said == [
        "Nothing has been computed yet: only the leaves have their numbers.",
        "Evaluation: multiply computes v1 from a and b.",
        "Evaluation: add computes c from v1 and a.",
        "Chain rule: it begins at the result: the derivative of c with respect to itself is 1.",
        "Chain rule, from c back to v1: c.grad times the local derivative ∂c/∂v1 is v1.grad.",
        "Chain rule, from c back to a: c.grad times the local derivative ∂c/∂a is the first of 2 parts of a.grad.",
        "Chain rule, from v1 back to a: v1.grad times the local derivative ∂v1/∂a is added to a.grad, now complete.",
        "Chain rule, from v1 back to b: v1.grad times the local derivative ∂v1/∂b is b.grad.",
    ]
    assert page.get_by_role("group", name="The graph of c").count() == 1
    assert page.get_by_role("region", name="Trace").count() == 1
    assert page.get_by_role("region", name="Drawing of the graph").count() == 1
    assert page.get_by_role("columnheader").count() == 2
    assert page.get_by_role("button", name="Forward").get_attribute("aria-disabled") == "true"
    assert page.get_by_role("button", name="Back").get_attribute("aria-disabled") == "false"
    assert page.evaluate("document.documentElement.lang") == "en"


# ---- For every eye.

CONTRASTS = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (share) => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  const luminance = (colour) => {
    const [r, g, b] = parse(colour).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const opaque = (colour) => (parse(colour)[3] ?? 1) === 1;
  const behind = (element) => {
    const fill = element.closest("[data-name]")?.querySelector("rect, ellipse");
    if (fill) return getComputedStyle(fill).fill;
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (opaque(colour)) return colour;
    }
    return "none";
  };
  const found = [];
  for (const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); walker.nextNode();) {
    const element = walker.currentNode.parentElement;
    const style = getComputedStyle(element);
    if (!walker.currentNode.data.trim() || !element.getClientRects().length || style.visibility === "hidden") continue;
    if (["title", "SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const colour = element instanceof SVGElement ? style.fill : style.color;
    found.push([contrast(colour, behind(element)), walker.currentNode.data, colour, behind(element)]);
  }
  return found;
}"""


SLIDE = """(step) => {
  const slider = document.getElementById("step");
  slider.value = step;
  slider.dispatchEvent(new Event("input"));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_either_scheme(visit, scheme):
    page = visit(explain(two_layers()), scheme=scheme)
    seen = 0
    for step in (0, 4, 16, 100):
        page.evaluate(SLIDE, step)
        contrasts = page.evaluate(CONTRASTS)
        assert min(contrasts)[0] >= 4.5, min(contrasts)
        seen += len(contrasts)
    assert seen > 400
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 24, 31)"}[scheme]


def test_nothing_is_said_by_colour_alone(visit):
    """What happens has lines three times as wide, and an arrow in the table; what is not reached is dashed."""
    page = visit(explain(two_layers()))
    page.keyboard.press("ArrowRight")
    looks = page.evaluate("""() => [
      ":not([data-name*=' ']).active", "[data-name*=' '].active",
      ":not([data-name*=' ']).dimmed", "[data-name*=' '].dimmed", "[data-name]:not(.active, .source, .dimmed)",
    ].map((kind) => {
      const { strokeWidth, strokeDasharray } =
        getComputedStyle(document.querySelector(`svg ${kind}`).querySelector("path, rect, ellipse"));
      return [parseFloat(strokeWidth), strokeDasharray];
    })""")
    wide, dashed, plain = [3.5, "none"], [1, "3px, 3px"], [1, "none"]
    assert looks == [wide, wide, dashed, dashed, plain]
    arrow = page.evaluate("getComputedStyle(document.querySelector('[aria-current]'), '::before').content")
    assert arrow == '"▶"'


def test_movement_is_left_out_where_readers_want_none(visit):
    behaviour = "getComputedStyle(document.querySelector('.drawing')).scrollBehavior"
    assert visit(explain(small()), motion="reduce").evaluate(behaviour) == "auto"
    assert visit(explain(small()), motion="no-preference").evaluate(behaviour) == "smooth"


def test_a_narrow_page_scrolls_only_where_it_says_so_and_follows_what_happens(visit):
    page = visit(explain(two_layers()), size=(320, 800))
    in_view = """() => ["[role=button].active", "[aria-current]"].map((chosen) => {
      const target = document.querySelector(chosen);
      const [inner, outer] = [target, target.closest("section")].map((e) => e.getBoundingClientRect());
      return inner.left >= outer.left && inner.left < outer.right
        && inner.top >= outer.top && inner.bottom <= outer.bottom;
    })"""
    for _ in range(14):
        page.keyboard.press("ArrowRight")
        assert page.evaluate(in_view) == [True, True]
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for button in page.locator("#controls button, #leaf button, select, #number").all():
        box = button.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320


def test_without_javascript_everything_is_shown(browser, tmp_path):
    explain(small()).save(tmp_path / "page.html")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((tmp_path / "page.html").as_uri())
        assert page.locator("noscript").is_visible()
        assert not page.locator("#controls").is_visible()
        assert page.locator("noscript pre").inner_text() == explain(small()).text
        assert page.locator("section:visible").count() == 0


# ---- Nothing gets in, nothing gets out.

HIT = "window.hit = true; document.title = 'hit'"
MARKUP = [
    f"<script>{HIT}</script>",
    f"</script><script>{HIT}</script>",
    f'<img src=x onerror="{HIT}">',
    f'"><svg onload="{HIT}">',
    f"'><b onmouseover='{HIT}'>",
    "</template></title></style></code>",
    "<!-- <script>",
    "&lt;script&gt;",
    "{{7*7}} ${7*7}",
    "]]><x>",
]


def labelled(labels) -> Value:
    """A chain of operations on leaves with these labels; its own nodes have them too."""
    first, *others = (Value(float(i), label=label) for i, label in enumerate(labels))
    total = first
    for other in others:
        total = total * other + 1.0
        total.label = f"{other.label} "
    return total


def test_labels_bring_neither_markup_nor_script(visit):
    counts = """() => {
      const all = [...document.querySelectorAll("*")];
      return [all.map((e) => e.tagName).sort(), [...new Set(all.flatMap((e) => e.getAttributeNames()))].sort()];
    }"""
    found = []
    for labels in ([f"( {i}" for i in range(len(MARKUP))], MARKUP):
        page = visit(explain(labelled(labels)))
        page.keyboard.press("End")
        found.append(page.evaluate(counts))
    assert found[0] == found[1]
    text = page.locator(".trace table").inner_text()
    assert all(label[:23] in text for label in MARKUP)
    page.locator(".drawing [role=button]").first.click()
    page.locator("#number").fill(MARKUP[0])
    page.keyboard.press("Enter")
    page.locator("b, svg").last.hover()
    assert page.evaluate("window.hit") is None
    assert page.title() == "v28, step by step"
    assert page.requests == [page.url]


def test_the_page_may_load_nothing_and_run_nothing_else(visit):
    page = visit(explain(small()))
    assert page.errors == []
    page.evaluate("""() => {
      const add = (tag, fields) => document.body.append(Object.assign(document.createElement(tag), fields));
      add("script", { textContent: "window.hit = 1" });
      add("script", { src: "data:text/javascript,window.hit = 2" });
      add("img", { src: "data:image/gif;base64,R0lGODlhAQABAAAAACw=" });
      add("iframe", { src: "data:text/html,hello" });
      add("style", { textContent: "body { display: none }" });
      add("div", { innerHTML: '<b style="color: red" onclick="window.hit = 3">b</b>' });
      document.querySelector("b").click();
      fetch("http://127.0.0.1:9/").catch(() => {});
    }""")
    page.wait_for_timeout(50)
    assert page.evaluate("window.hit") is None
    assert page.evaluate("getComputedStyle(document.body).display") == "block"
    assert page.requests == [page.url]
    assert len([error for error in page.errors if "Content Security Policy" in error]) >= 7


def test_in_a_notebook_the_page_works_in_its_frame(visit):
    page = visit(f"<!DOCTYPE html><body>{explain(small())._repr_mimebundle_()['text/html']}</body>")
    frame = page.frame_locator("iframe")
    assert page.locator("iframe").get_attribute("title") == "c, step by step"
    frame.get_by_role("button", name="Forward").click()
    page.keyboard.press("ArrowRight")
    assert frame.locator("#now code").inner_text() == "c = v1 + a = (-6) + 2 = -4"
    assert not page.locator("table").is_visible()
    page.locator("summary").click()
    assert "c = v1 + a = (-6) + 2 = -4" in page.locator("table").inner_text()
    assert [error for error in page.errors if "Content Security Policy" in error] == []


@pytest.mark.parametrize("width", [1000, 1200])
def test_in_a_notebook_the_frame_is_filled_and_not_too_high(visit, width):
    for value in (Value(2.0, label="a"), small(), two_layers()):
        page = visit(
            f"<!DOCTYPE html><body style='margin: 0'>{explain(value)._repr_mimebundle_()['text/html']}</body>",
            size=(width, 900),
        )
        frame = page.locator("iframe").bounding_box()
        needed = page.frame_locator("iframe").locator("main").bounding_box()["height"]
        assert frame["width"] == width
        assert frame["height"] <= 720
        assert frame["height"] - needed < 60  # nothing blank below


def test_the_page_of_a_leaf(visit):
    page = visit(explain(Value(2.0, label="a")))
    page.keyboard.press("End")
    assert page.locator("#count").inner_text() == "Step 1 of 1"
    assert page.locator("#now code").inner_text() == "a.grad = 1"
    assert page.errors == []
