// The trace as a table, as it is at a step: what is not known yet has question marks in the place of its numbers.

class Table {
  constructor(table, lines, calculation, schedule) {
    Object.assign(this, { lines, calculation, schedule });
    this.entries = [];
    const made = new Map();
    for (const [step, contribution] of [...calculation.contributions.entries()].reverse()) {
      listIn(made, contribution.node).push([schedule.added(step), contribution]);
    }
    const rows = lines.names.map((_, variable) => this.row(variable, made.get(variable) ?? []));
    table.tBodies[0].replaceChildren(...rows);
  }

  // The result's row ends in its own adjoint, where the chain rule begins. So does a leaf's: there it ends.
  row(variable, contributions) {
    const { lines, schedule, calculation } = this;
    const computed = schedule.computed(variable);
    const left = [this.line(() => lines.evaluation(variable), computed, computed, lines.remark(variable))];
    const right = contributions.map(([step, contribution]) =>
      this.line(() => lines.contribution(contribution), step, step));
    const isResult = variable === schedule.output;
    if (isResult || calculation.isLeaf(variable)) {
      const complete = schedule.complete(variable);
      right.push(this.line(() => lines.gradient(variable), complete, isResult ? complete : 0));
    }
    const row = document.createElement("tr");
    row.setAttribute("role", "row");
    for (const cell of [left, right]) {
      const made = document.createElement("td");
      made.setAttribute("role", "cell");
      made.append(...cell);
      row.append(made);
    }
    return row;
  }

  // A line that is known from one step on, and made at one: 0 where that is none.
  line(parts, known, made, remark = "") {
    const line = document.createElement("div");
    this.entries.push({ line, parts, known, made, remark });
    return line;
  }

  show(step, write, all) {
    this.happening = [];  // the line that is made at this step
    for (const entry of this.entries) {
      const isKnown = step >= entry.known;
      if (all || entry.isKnown !== isKnown) {
        const text = this.lines.text(entry.parts(), write, isKnown) + entry.remark;
        if (entry.text !== text) entry.line.textContent = entry.text = text;
        entry.line.classList.toggle("dimmed", !isKnown);
        entry.isKnown = isKnown;
      }
      const isCurrent = step > 0 && entry.made === step;
      if (isCurrent) this.happening.push(entry.line);
      if (isCurrent === (entry.isCurrent ?? false)) continue;
      if (isCurrent) entry.line.setAttribute("aria-current", "step");
      else entry.line.removeAttribute("aria-current");
      entry.isCurrent = isCurrent;
    }
  }
}
