"""The page to look around in a picture, in a real browser: by mouse, by touch, by keyboard, light and dark."""

from __future__ import annotations

import re
from html import escape

import pytest

from autograd import Value, draw, pages, tanh
from autograd.drawing import THEMES, Drawing
from autograd.drawing.pen import Group, Image, Picture, Shape, Text
from autograd.drawing.viewer import Level, page


@pytest.fixture(scope="module")
def tab(browser):
    """One for all tests, which notes requests and errors."""
    tab = browser.new_page()
    tab.requests, tab.errors = [], []
    tab.on("request", lambda request: tab.requests.append(request.url))
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.on("console", lambda message: tab.errors.append(message.text))
    return tab


@pytest.fixture
def visit(tab, tmp_path):
    """Opens a page from a file."""

    def opened(content, size=(900, 500), scheme="light"):
        path = tmp_path / "page.html"
        path.write_text(content if isinstance(content, str) else content.html, encoding="utf-8")
        tab.set_viewport_size({"width": size[0], "height": size[1]})
        tab.emulate_media(color_scheme=scheme)
        tab.mouse.move(0, 0)
        tab.requests.clear()
        tab.errors.clear()
        tab.goto(path.as_uri())
        return tab

    return opened


def neuron() -> Value:
    x, w, b = Value(2.0, label="x"), Value(-0.1, label="w"), Value(1 / 3, label="bias")
    y = tanh(x * w + b)
    y.label = "y"
    y.backward()
    return y


def nested() -> Drawing:
    """A picture with a folded box, in which is another one."""

    def paint(name, *labels):
        def painted(theme):
            pieces = [
                Group(
                    (
                        Shape("box", ((20.0 + 150 * i, 20.0), (120.0 + 150 * i, 60.0)), theme.line, theme.leaf),
                        Text((70.0 + 150 * i, 45.0), "center", label, 11.0, False, theme.ink),
                    ),
                    f"{label}\nin {name}",
                    label,
                )
                for i, label in enumerate(labels)
            ]
            return Picture(20.0 + 150 * len(labels), 80.0, theme.background, tuple(pieces), name, f"What {name} has.")

        return painted

    inner = Level(paint("inner", "a", "<b>"), "inner")
    middle = Level(paint("middle", "x/y", "inner"), "middle", {"inner": inner})
    return Drawing(Level(paint("top", "first", "middle", "a"), "top", {"middle": middle}), 3)


LOOK = """() => {
  const svg = document.querySelector("#stage svg");
  const [left, top, width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  return { left, top, width, height, scale: svg.clientWidth / width };
}"""


def look(page):
    return page.evaluate(LOOK)


def box(page, label):
    """The group that says the label first."""
    return page.locator(f'#stage [data-says^="{label}"]').first


def centre(locator):
    at = locator.bounding_box()
    return at["x"] + at["width"] / 2, at["y"] + at["height"] / 2


def card(page):
    return page.locator("#card").inner_text() if page.locator("#card").is_visible() else None


# ---- Zoom and pan.


def test_at_first_all_is_seen_at_the_pictures_own_size_or_smaller(visit):
    picture = draw(neuron())
    for size, scale in [((1600, 500), 96 / 72), ((400, 500), 400 / picture.picture.width)]:
        seen = look(visit(picture, size=size))
        assert seen["scale"] == pytest.approx(scale, abs=0.01)
        assert seen["left"] <= 0.01
        assert seen["left"] + seen["width"] >= picture.picture.width - 0.01
        assert seen["left"] + seen["width"] / 2 == pytest.approx(picture.picture.width / 2, abs=0.01)


def test_the_wheel_zooms_about_the_pointer_and_never_away_from_the_picture(visit):
    page = visit(draw(neuron()))
    before, at = look(page), centre(box(page, "bias"))
    page.mouse.move(*at)
    page.mouse.wheel(0, -400)
    page.wait_for_function(
        "before => document.querySelector('#stage svg').viewBox.baseVal.width < before", arg=before["width"]
    )
    assert look(page)["scale"] > 1.5 * before["scale"]
    assert centre(box(page, "bias"))[0] == pytest.approx(at[0], abs=3)  # as high as it is, it is still all seen
    for _ in range(20):
        page.mouse.wheel(0, 400)
    page.wait_for_function(
        "all => document.querySelector('#stage svg').viewBox.baseVal.width >= all - 1e-6", arg=before["width"]
    )
    assert look(page) == pytest.approx(before)
    for _ in range(40):
        page.mouse.wheel(0, -400)
    page.wait_for_timeout(50)
    assert look(page)["scale"] < 25


def test_dragging_pans_within_the_picture_and_is_no_click(visit):
    page = visit(draw(neuron()))
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    before = look(page)
    page.mouse.move(450, 250)
    page.mouse.down()
    page.mouse.move(350, 240, steps=5)
    page.mouse.up()
    assert look(page)["left"] == pytest.approx(before["left"] + 100 / before["scale"], abs=0.1)
    for _ in range(5):
        page.mouse.move(100, 250)
        page.mouse.down()
        page.mouse.move(890, 490, steps=5)
        page.mouse.up()
    assert look(page)["left"] == 0
    page.get_by_role("button", name="Show all").click()
    assert look(page)["left"] <= 0


def test_two_fingers_zoom(visit):
    page = visit(draw(neuron()))
    before = look(page)
    page.evaluate("""() => {
      const stage = document.getElementById("stage");
      stage.setPointerCapture = () => {};
      const send = (kind, pointerId, clientX) => stage.dispatchEvent(
        new PointerEvent(kind, { pointerId, clientX, clientY: 250, pointerType: "touch", bubbles: true }));
      send("pointerdown", 1, 400);
      send("pointerdown", 2, 500);
      for (let i = 1; i <= 10; i++) { send("pointermove", 1, 400 - 10 * i); send("pointermove", 2, 500 + 10 * i); }
      send("pointerup", 1, 300);
      send("pointerup", 2, 600);
    }""")
    assert look(page)["scale"] == pytest.approx(3 * before["scale"], rel=0.05)
    assert page.errors == []


def test_when_the_window_changes_the_picture_still_fits(visit):
    page = visit(draw(neuron()))
    page.set_viewport_size({"width": 450, "height": 500})
    page.wait_for_function("() => document.querySelector('#stage svg').clientWidth === 450")
    page.wait_for_timeout(50)
    assert look(page)["scale"] == pytest.approx(450 / draw(neuron()).picture.width, abs=0.01)
    assert page.evaluate("document.documentElement.scrollWidth") <= 450


# ---- Numbers in full.


def test_hovering_shows_the_numbers_in_full_even_beside_a_thin_line(visit):
    value = neuron()
    page = visit(draw(value))
    page.mouse.move(*centre(box(page, "bias")))
    bias = value.parents[0].parents[1]
    assert card(page) == f"bias\ndata {1 / 3!r}\ngrad {bias.grad!r}"
    x, y = page.evaluate("""() => {
      const path = document.querySelector("#stage [data-says^='local derivative 2.0'] path");
      const [at, to] = [path.getPointAtLength(path.getTotalLength() / 3), path.getScreenCTM()];
      return [at.x * to.a + to.e, at.y * to.d + to.f];
    }""")
    page.mouse.move(x, y + 5)
    w = value.parents[0].parents[0].parents[1]
    product = value.parents[0].parents[0]
    assert card(page) == f"local derivative 2.0\n× gradient {product.grad!r} = {w.grad!r}"
    page.mouse.move(5, 490)
    assert card(page) is None
    assert page.locator("title").count() == 1  # the page's: no second hint over the card


def test_a_card_lies_within_the_window(visit):
    page = visit(draw(neuron()), size=(700, 170))
    for label in ("x", "y", "bias"):
        page.mouse.move(*centre(box(page, label)))
        at = page.locator("#card").bounding_box()
        assert at["x"] >= 0
        assert at["y"] >= 0
        assert at["x"] + at["width"] <= 700
        assert at["y"] + at["height"] <= 170


def test_in_a_tiny_frame_the_browsers_own_hint_stays(visit):
    page = visit(draw(Value(1.0, label="a")), size=(130, 60))
    page.mouse.move(*centre(page.locator("#stage rect").last))
    assert card(page) is None
    assert page.locator("#stage g > title").text_content() == "a\ndata 1.0\ngrad 0.0"
    assert not page.locator("#tools").is_visible()


def test_a_tap_shows_the_card(browser, tmp_path):
    (tmp_path / "page.html").write_text(draw(neuron()).html, encoding="utf-8")
    with browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 700}) as context:
        page = context.new_page()
        page.goto((tmp_path / "page.html").as_uri())
        page.touchscreen.tap(*centre(box(page, "bias")))
        assert card(page).startswith("bias\ndata 0.333")
        page.touchscreen.tap(200, 600)
        assert card(page) is None
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        for button in page.get_by_role("button").all():
            at = button.bounding_box()
            assert min(at["width"], at["height"]) >= 40
            assert at["x"] + at["width"] <= 390


# ---- By keyboard, and for screen readers.


def test_arrows_go_from_part_to_part_and_the_card_goes_with_them(visit):
    page = visit(draw(neuron()))
    said = []
    focused = "document.activeElement.closest('[data-says]')?.dataset.says.split('\\n', 1)[0]"
    box(page, "x").focus()
    while page.evaluate(focused) != "y" and len(said) < 20:
        page.keyboard.press("ArrowRight")
        said.append(page.evaluate(focused))
        assert card(page).split("\n", 1)[0] == said[-1]
    assert said[0].startswith("local derivative")
    assert said[-1] == "y"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "y"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused).startswith("gradient")
    page.keyboard.press("Escape")
    assert card(page) is None
    assert page.locator("#stage [tabindex='0']").count() == 1


def test_keys_zoom_pan_and_search(visit):
    page = visit(draw(neuron()))
    before = look(page)
    page.locator("body").press("+")
    page.locator("body").press("+")
    zoomed = look(page)
    assert zoomed["scale"] == pytest.approx(2.25 * before["scale"])
    page.keyboard.press("ArrowRight")
    assert look(page)["left"] > zoomed["left"]
    page.keyboard.press("Shift+ArrowLeft")
    assert look(page)["left"] == pytest.approx(zoomed["left"])
    page.keyboard.press("-")
    page.keyboard.press("0")
    assert look(page) == pytest.approx(before)
    page.keyboard.press("/")
    page.keyboard.type("+0/")  # text, in the search box
    assert page.locator("#search").input_value() == "+0/"


def test_every_part_and_the_picture_say_what_they_are(visit):
    page = visit(draw(neuron()))
    assert page.get_by_role("group", name="y").count() == 1
    assert page.get_by_role("img", name=re.compile("^bias data 0.333")).count() == 1
    assert page.get_by_role("main", name="y").get_attribute("aria-describedby") == "about"
    assert page.locator("#about").inner_text() == draw(neuron()).picture.description
    assert page.get_by_role("searchbox", name="Search for a label").count() == 1
    assert page.get_by_role("toolbar").get_by_role("button").count() == 3
    assert page.evaluate("document.documentElement.lang") == "en"


# ---- Search.


def test_what_is_searched_for_is_marked_and_in_the_middle(visit):
    page = visit(draw(neuron()))
    page.locator("#search").fill("BIA")
    assert page.locator("#found").inner_text() == "1 of 1"
    assert card(page).startswith("bias")
    assert page.locator(".hit").count() == 1
    at = centre(page.locator(".hit"))
    assert look(page)["scale"] >= 96 / 72
    assert 0 < at[0] < 900
    page.locator("#search").fill("data")
    assert page.locator("#found").inner_text() == "1 of 6"
    page.keyboard.press("Enter")
    assert page.locator("#found").inner_text() == "2 of 6"
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    assert page.locator("#found").inner_text() == "6 of 6"
    page.locator("#search").fill("nowhere")
    assert page.locator("#found").inner_text() == "none"
    assert page.locator(".hit").count() == 0
    page.keyboard.press("Escape")
    assert page.locator("#search").input_value() == page.locator("#found").inner_text() == ""


# ---- What is folded.


def way(page):
    return page.locator("#way button").all_inner_texts()


def test_what_is_folded_opens_by_a_click_and_a_way_leads_back(visit):
    page = visit(nested())
    assert way(page) == ["top"]
    page.mouse.click(*centre(box(page, "first")))
    assert way(page) == ["top"]
    assert card(page) == "first\nin top"
    page.mouse.click(*centre(page.get_by_role("button", name="middle in top")))
    assert way(page) == ["top", "middle"]
    page.mouse.click(*centre(box(page, "inner")))
    assert way(page) == ["top", "middle", "inner"]
    assert page.locator("#way [aria-current]").inner_text() == "inner"
    assert box(page, "<b>").is_visible()
    assert page.locator("#stage svg").count() == 1
    page.locator("#way button").first.click()
    assert way(page) == ["top"]
    assert box(page, "first").is_visible()
    assert page.errors == []


def test_what_is_folded_opens_by_keyboard(visit):
    page = visit(nested())
    box(page, "middle").focus()
    page.keyboard.press("Enter")
    assert way(page) == ["top", "middle"]
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    assert way(page) == ["top", "middle", "inner"]
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert way(page) in (["top"], ["top", "middle"])  # the first closes the card
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert way(page) == ["top"]


def test_a_search_goes_into_what_is_folded(visit):
    page = visit(nested())
    page.locator("#search").fill("<b>")
    assert way(page) == ["top", "middle", "inner"]
    assert page.locator("#found").inner_text() == "1 of 1"
    page.locator("#search").fill("a")
    assert page.locator("#found").inner_text() == "1 of 2"  # the one at hand comes first
    assert way(page) == ["top", "middle", "inner"]
    page.keyboard.press("Enter")
    assert way(page) == ["top"]


# ---- For every eye.


@pytest.mark.parametrize("scheme", THEMES)
def test_the_page_follows_the_readers_scheme(visit, scheme):
    theme = THEMES[scheme]
    page = visit(draw(neuron()), scheme=scheme)
    colours = page.evaluate("""() => ["body", "#stage svg > rect", "#stage text", "#search"].map((selector) => {
      const style = getComputedStyle(document.querySelector(selector));
      return selector.endsWith("rect") || selector.endsWith("text") ? style.fill : style.backgroundColor;
    })""")
    rgb = ["rgb({}, {}, {})".format(*bytes.fromhex(colour[1:])) for colour in
           (theme.background, theme.background, theme.ink, theme.computed)]  # fmt: skip
    assert colours == rgb
    used = page.evaluate("""() => [...document.querySelectorAll("#stage svg *")].flatMap((part) => {
      const { fill, stroke } = getComputedStyle(part);
      return [fill, stroke];
    })""")
    own = {"rgb({}, {}, {})".format(*bytes.fromhex(c[1:])) for c in re.findall("#[0-9a-f]{6}", repr(theme))}
    assert {colour for colour in used if colour != "none"} - {"rgb(0, 0, 0)"} <= own


def test_a_dark_drawing_is_dark_for_every_reader_and_print_is_light(visit):
    page = visit(draw(neuron(), theme="dark"), scheme="light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 24, 31)"
    page = visit(draw(neuron()), scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("#tools").is_visible()
    page.emulate_media(media="screen")


def test_an_image_has_the_readers_colours(visit):
    def paint(theme):
        image = Image((0.0, 0.0), 30.0, 30.0, ((theme.background,),))
        return Picture(40.0, 40.0, theme.background, (Group((image,), "weights"),), "x", "y")

    for scheme in THEMES:
        tab = visit(page(Level(paint, "image")), scheme=scheme)
        assert [tab.locator(f"[data-name={name}]").is_visible() for name in ("light", "dark")] == [
            scheme == "light", scheme == "dark",
        ]  # fmt: skip


def test_without_javascript_the_picture_is_shown_and_fits(browser, tmp_path):
    (tmp_path / "page.html").write_text(draw(neuron()).html, encoding="utf-8")
    with browser.new_context(java_script_enabled=False, viewport={"width": 400, "height": 300}) as context:
        page = context.new_page()
        page.goto((tmp_path / "page.html").as_uri())
        assert page.locator("svg").bounding_box()["width"] == 400
        assert not page.locator("#tools").is_visible()
        assert page.locator("svg g > title").first.text_content().startswith("local derivative")


# ---- Nothing gets in, nothing gets out.

HIT = "window.hit = true"
HOSTILE = [
    f"<script>{HIT}</script>", f"</script><script>{HIT}</script>", f'<img src=x onerror="{HIT}">',
    f'"><svg onload="{HIT}">', f"'><b onmouseover='{HIT}'>", "</template></title></style></svg>", "]]><x>", "{{7*7}}",
    "\\", "a/b", "1", "\u202egnirts",
]  # fmt: skip


def test_labels_bring_neither_markup_nor_script(visit):
    counts = "() => [...document.querySelectorAll('*')].map((e) => e.tagName).sort()"
    found = []
    for labels in ([f"( {i}" for i in range(len(HOSTILE))], HOSTILE):
        total = Value(0.0, label=labels[0])
        for label in labels:
            total = total + Value(1.0, label=label)
            total.label = f"{label} "
        page = visit(draw(total))
        page.mouse.move(*centre(box(page, "(" if labels[0][0] == "(" else "<script")))
        found.append(page.evaluate(counts))
    assert found[0] == found[1]
    page.locator("#search").fill("<script>")
    assert page.locator("#found").inner_text().startswith("1 of ")
    assert page.evaluate("window.hit") is None
    assert page.requests == [page.url]
    assert page.errors == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_folded_boxs_name_may_be_anything(visit, name):
    def paint(theme):
        shape = Shape("box", ((0.0, 0.0), (40.0, 40.0)), theme.line, theme.leaf)
        return Picture(50.0, 50.0, theme.background, (Group((shape,), "folded", name),), name, name)

    page_ = visit(page(Level(paint, name, {name: Level(paint, name, {name: Level(paint, name)})})))
    for depth in (2, 3):
        page_.mouse.click(*centre(box(page_, "folded")))
        assert [button.text_content() for button in page_.locator("#way button").all()] == [name] * depth
    assert page_.errors == []
    assert page_.evaluate("window.hit") is None


def test_the_page_may_load_nothing_and_run_nothing_else(visit):
    page = visit(draw(neuron()))
    assert page.errors == []
    page.evaluate("""() => {
      const add = (tag, fields) => document.body.append(Object.assign(document.createElement(tag), fields));
      add("script", { textContent: "window.hit = 1" });
      add("iframe", { src: "data:text/html,hello" });
      add("style", { textContent: "body { display: none }" });
      fetch("http://127.0.0.1:9/").catch(() => {});
    }""")
    page.wait_for_timeout(50)
    assert page.evaluate("window.hit") is None
    assert page.evaluate("getComputedStyle(document.body).display") == "block"
    assert page.requests == [page.url]


# ---- In a notebook.


def until(page, act, true):
    """Acts until it has an effect: until a browser has drawn a frame, it doesn't know whose a pointer's events are."""
    for _ in range(100):
        act()
        page.wait_for_timeout(100)
        if true():
            return
    raise AssertionError("nothing happens")


def in_notebook(picture, width=600):
    html = picture._repr_mimebundle_()[0]["text/html"]
    return (
        f'<!DOCTYPE html><meta charset="utf-8"><body style="margin: 0; width: {width}px">{html}<p id="after">after</p>'
    )


def test_its_frame_is_as_large_as_the_picture_and_fits_the_cell(visit):
    for width in (600, 3000):
        page = visit(in_notebook(draw(neuron()), width), size=(3000, 500))
        drawn = draw(neuron()).picture
        expected = min(width, drawn.width * 96 / 72)
        image, at = (page.locator(selector).bounding_box() for selector in ("img", "iframe"))
        height = expected * drawn.height / drawn.width
        assert (image["width"], image["height"]) == pytest.approx((expected, height), abs=1)
        assert (at["width"], at["height"]) == pytest.approx((expected, max(height, 150)), abs=12)
        assert page.locator("#after").bounding_box()["y"] <= at["y"] + at["height"] + 17
        frame = page.frames[1]
        seen = frame.evaluate(LOOK)
        assert seen["width"] == pytest.approx(drawn.width, rel=0.01)
        assert page.errors == []


def test_in_its_frame_it_answers_and_the_page_around_it_scrolls(visit):
    page = visit(in_notebook(draw(neuron())) + '<div style="height: 3000px"></div>', size=(700, 400))
    frame = page.frame_locator("iframe")
    assert frame.locator("#tools").evaluate("e => getComputedStyle(e).opacity") == "0"
    at = frame.locator("[data-says^=bias]").bounding_box()
    inside, x, y = page.frames[1], at["x"] + 10, at["y"] + 10
    before = inside.evaluate(LOOK)

    def hover():
        page.mouse.move(x, y + 1)
        page.mouse.move(x, y)

    until(page, hover, frame.locator("#card").is_visible)
    assert frame.locator("#tools").evaluate("e => getComputedStyle(e).opacity") == "1"
    until(page, lambda: page.mouse.wheel(0, 200), lambda: page.evaluate("scrollY") > 100)
    assert inside.evaluate(LOOK) == before
    page.evaluate("scrollTo(0, 0)")
    until(page, lambda: page.mouse.click(x, y), lambda: inside.evaluate("document.hasFocus()"))
    until(page, lambda: page.mouse.wheel(0, -200), lambda: inside.evaluate(LOOK)["scale"] > before["scale"])
    assert page.errors == []


def test_without_the_frame_the_same_picture_is_seen(visit):
    html = re.sub("<iframe .*?</iframe>", "", in_notebook(draw(neuron())))
    page = visit(html)
    assert page.locator("img").evaluate("image => image.complete && image.naturalWidth > 400")
    assert page.locator("img").get_attribute("alt") == draw(neuron()).picture.description
    assert page.locator("img").bounding_box()["width"] == 600


def test_a_label_cannot_leave_the_frame(visit):
    page = visit(in_notebook(draw(Value(1.0, label='"></iframe><b id="out">'))))
    assert page.locator("#out").count() == 0
    assert page.errors == []


def test_a_frame_may_have_nothing_behind_it(visit):
    html = pages.framed(pages.page("a", "", "<p>hello</p>", ""), 'title "a"', None, 120)
    page = visit(f'<!DOCTYPE html><body style="margin: 0">{html}')
    assert page.locator("iframe").bounding_box() == {"x": 0, "y": 0, "width": 900, "height": 120}
    assert page.frame_locator("iframe").locator("p").inner_text() == "hello"
    assert page.locator("iframe").get_attribute("title") == 'title "a"'
    assert escape('title "a"') in html
