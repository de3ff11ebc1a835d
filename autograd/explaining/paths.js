// The paths from a variable to the result. The derivative of the result by it is the sum over all paths of the products
// of the local derivatives along each (F. L. Bauer, "Computational graphs and rounding error", 1974).

// How many paths there are, exactly, and the `most` whose products are largest: { product, edges: [{ k, place }] }.
// They are counted, and the largest are found, from the result to its operands: there may be too many to walk along.
function pathsFrom(calculation, variable, most) {
  const { instructions, output } = calculation;
  const counts = new Map([[output, 1n]]);
  const largest = new Map([[output, [{ product: 1, edge: null, rest: null }]]]);
  for (let k = instructions.length - 1; k >= 0; k--) {
    const { result, parents, derivatives } = instructions[k];
    parents.forEach((parent, place) => {
      counts.set(parent, (counts.get(parent) ?? 0n) + (counts.get(result) ?? 0n));
      const longer = (largest.get(result) ?? []).map((path) =>
        ({ product: path.product * derivatives[place], edge: { k, place }, rest: path }));
      largest.set(parent, largestOf([...(largest.get(parent) ?? []), ...longer], most));
    });
  }
  const paths = (largest.get(variable) ?? []).map(({ product, ...path }) =>
    ({ product: 0 + product, edges: edgesOf(path) }));  // as it is added to an adjoint: no -0
  return { count: counts.get(variable) ?? 0n, paths };
}

function largestOf(paths, most) {
  const size = ({ product }) => (Number.isNaN(product) ? Infinity : Math.abs(product));
  return paths.sort((a, b) => size(b) - size(a) || 0).slice(0, most);  // ∞ - ∞ is NaN
}

function edgesOf(path) {
  const edges = [];
  for (let at = path; at.edge; at = at.rest) edges.push(at.edge);
  return edges;
}
