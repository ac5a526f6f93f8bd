/**
 * Coordinates for a graph, worked out by elk in a worker, once per structure. The first answer of a structure is kept, so
 * that nothing moves while stepping or from step to step.
 *
 * @import {Graph} from '../model/graph.js'
 * @typedef {{x: number, y: number, w: number, h: number}} Box
 * @typedef {{x: number, y: number}} Point
 * @typedef {{boxes: Map<string, Box>, groups: Map<string, Box>, routes: Map<string, {points: Point[], side: boolean, lift: number}>, w: number, h: number, hash: string}} Layout
 */
import { layered } from './layered.js';
import { arrange, rows } from './rows.js';

/** @type {Map<string, Promise<Layout>>} */
const kept = new Map();

/** @type {Promise<import('elkjs/lib/elk-api.js').ELK> | null} */
let engine = null;

/** @param {string} worker  address of elk's worker script */
function elk(worker) {
  engine ??= import('elkjs/lib/elk-api.js').then(({ default: Elk }) => new Elk({ workerUrl: worker }));
  return engine;
}

/** @param {Graph} graph @param {string} worker @returns {Promise<Layout>} */
export function layout(graph, worker) {
  let answer = kept.get(graph.hash);
  if (!answer) {
    answer = work(graph, worker);
    answer.catch(() => kept.delete(graph.hash));
    kept.set(graph.hash, answer);
  }
  return answer;
}

const OPTIONS = {
  'elk.algorithm': 'layered', 'elk.direction': 'DOWN', 'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.layered.spacing.nodeNodeBetweenLayers': '28', 'elk.spacing.nodeNode': '44', 'elk.spacing.edgeNode': '22',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14', 'elk.layered.spacing.edgeEdgeBetweenLayers': '12', 'elk.spacing.edgeEdge': '14',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX', 'elk.layered.crossingMinimization.strategy': 'LAYER_SWEEP',
  'elk.edgeRouting': 'ORTHOGONAL', 'elk.json.edgeCoords': 'ROOT', 'elk.separateConnectedComponents': 'true',
  'elk.spacing.componentComponent': '70', 'elk.padding': '[top=16,left=16,bottom=16,right=16]',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
};
/** Network simplex draws straighter lines, but takes ten seconds where these take two [measured: 52 cards, 155 edges]. */
const QUICK = { 'elk.layered.nodePlacement.strategy': 'LINEAR_SEGMENTS' };
const MANY = 90; // edges
const MOST = 300; // cards, or edges: elk takes seconds for more
const APART = 12; // pieces that nothing connects: elk puts them side by side in one endless row
const GROUP = { 'elk.padding': '[top=30,left=18,bottom=18,right=18]' };

/** @param {Graph} graph @param {string} worker @returns {Promise<Layout>} */
async function work(graph, worker) {
  const { rows: found, owner } = rows(graph);
  /** @type {Map<string, any>} */ const nodes = new Map();
  const places = new Map();
  /** @type {Map<string, typeof graph.edges>} */ const into = new Map();
  for (const edge of graph.edges) (into.get(edge.to) ?? into.set(edge.to, []).get(edge.to))?.push(edge);
  for (const [key, row] of found) places.set(key, arrange(row, into.get(key) ?? []));
  if (graph.cards.size > MOST || graph.edges.length > MOST || pieces(graph, found, owner) > APART) return stack(graph, found, places, owner);
  for (const [key, place] of places) {
    nodes.set(key, { id: key, width: place.w, height: place.h, ports: [], layoutOptions: { 'elk.portConstraints': 'FIXED_POS' } });
  }
  const edges = link(graph, nodes, places, owner);
  const root = nest(graph, found, nodes, edges);
  const answer = await (await elk(worker)).layout(root);
  return read(graph, answer, places, owner);
}

/** Ports at fixed places: operands from left to right at the top, one way out below. @param {Graph} graph @param {Map<string, any>} nodes @param {Map<string, any>} places @param {Map<string, string>} owner */
function link(graph, nodes, places, owner) {
  /** @type {{id: string, sources: string[], targets: string[]}[]} */ const edges = [];
  /** @type {Map<string, typeof graph.edges>} */ const above = new Map();
  for (const edge of graph.edges) {
    if (owner.get(edge.from) === edge.to) continue;
    above.set(edge.to, [...(above.get(edge.to) ?? []), edge]);
  }
  for (const [to, list] of above) {
    const node = nodes.get(to);
    const box = places.get(to).places.get(to);
    list.forEach((edge, i) => {
      const port = `${edge.id}<`;
      node.ports.push(port_(port, 'NORTH', box.x + (box.w * (i + 1)) / (list.length + 1), box.y));
      edges.push({ id: edge.id, sources: [exit(edge.from)], targets: [port] });
    });
  }
  /** @param {string} key */
  function exit(key) {
    const id = `${key}>`;
    const home = owner.get(key) ?? key;
    const node = nodes.get(home);
    const box = places.get(home).places.get(key);
    if (!node.ports.some((/** @type {{id: string}} */ port) => port.id === id)) node.ports.push(port_(id, 'SOUTH', box.x + box.w / 2, node.height));
    return id;
  }
  return edges;
}

/** @param {string} id @param {string} side @param {number} x @param {number} y */
const port_ = (id, side, x, y) => ({ id, x, y, width: 0, height: 0, layoutOptions: { 'elk.port.side': side } });

/** Rows inside the frames of their modules. @param {Graph} graph @param {Map<string, import('./rows.js').Row>} found @param {Map<string, any>} nodes @param {any[]} edges */
function nest(graph, found, nodes, edges) {
  /** @type {Map<string, any>} */ const frames = new Map([['', { id: 'root', layoutOptions: edges.length > MANY ? { ...OPTIONS, ...QUICK } : OPTIONS, children: [], edges }]]);
  /** @param {string} path @returns {any} */
  const frame = (path) => {
    const known = frames.get(path);
    if (known) return known;
    const group = graph.groups.get(path);
    if (!group) return frame('');
    const made = { id: `frame:${path}`, layoutOptions: GROUP, children: [] };
    frames.set(path, made);
    frame(group.parent).children.push(made);
    return made;
  };
  const order = [...found].sort(([, a], [, b]) => a.card.at - b.card.at);
  for (const [key, row] of order) frame(graph.groups.has(row.group) ? row.group : '').children.push(nodes.get(key));
  return frames.get('');
}

/** How many parts the graph falls into. @param {Graph} graph @param {Map<string, import('./rows.js').Row>} found @param {Map<string, string>} owner */
function pieces(graph, found, owner) {
  /** @type {Map<string, string>} */ const above = new Map();
  const top = (/** @type {string} */ key) => {
    let at = key;
    for (let next = above.get(at); next !== undefined; next = above.get(at)) at = next;
    return at;
  };
  let n = found.size;
  for (const edge of graph.edges) {
    const [a, b] = [top(owner.get(edge.from) ?? edge.from), top(owner.get(edge.to) ?? edge.to)];
    if (a === b) continue;
    above.set(a, b);
    n -= 1;
  }
  return n;
}

/** Without elk. @param {Graph} graph @param {Map<string, import('./rows.js').Row>} found @param {Map<string, any>} places @param {Map<string, string>} owner @returns {Layout} */
function stack(graph, found, places, owner) {
  const order = [...found].sort(([, a], [, b]) => a.card.at - b.card.at);
  const items = order.map(([id, row]) => ({ id, w: places.get(id).w, h: places.get(id).h, group: row.group }));
  const home = (/** @type {string} */ key) => owner.get(key) ?? key;
  const arrows = graph.edges.flatMap((edge) => (home(edge.from) === home(edge.to) ? [] : [/** @type {[string, string]} */ ([home(edge.from), home(edge.to)])]));
  const answer = layered(items, arrows, graph.groups);
  /** @type {Layout} */
  const result = { boxes: new Map(), groups: answer.frames, routes: new Map(), w: answer.w, h: answer.h, hash: graph.hash };
  for (const [id, at] of answer.boxes) for (const [key, box] of places.get(id).places) result.boxes.set(key, { ...box, x: at.x + box.x, y: at.y + box.y });
  for (const edge of graph.edges) {
    const [from, to] = [result.boxes.get(edge.from), result.boxes.get(edge.to)];
    if (from && to && owner.get(edge.from) !== edge.to) result.routes.set(edge.id, { points: bend(from, to), side: false, lift: 0 });
  }
  return beside(graph, result, owner);
}

const STUB = 14; // px straight down before a line turns

/** Down, across, down; back up through the gap at the left when the goal is higher, at the head of the next column. @param {Box} from @param {Box} to @returns {Point[]} */
function bend(from, to) {
  const [x1, y1, x2, y2] = [from.x + from.w / 2, from.y + from.h, to.x + to.w / 2, to.y];
  if (Math.abs(x1 - x2) < 1 && y2 > y1) return [{ x: x1, y: y1 }, { x: x1, y: y2 }];
  const low = y2 - STUB;
  if (y2 > y1) return [{ x: x1, y: y1 }, { x: x1, y: low }, { x: x2, y: low }, { x: x2, y: y2 }];
  const gap = to.x > from.x ? to.x - 2 * STUB : to.x + to.w + 2 * STUB;
  return [{ x: x1, y: y1 }, { x: x1, y: y1 + STUB }, { x: gap, y: y1 + STUB }, { x: gap, y: low }, { x: x2, y: low }, { x: x2, y: y2 }];
}

/** @param {Graph} graph @param {any} answer @param {Map<string, any>} places @param {Map<string, string>} owner @returns {Layout} */
function read(graph, answer, places, owner) {
  /** @type {Layout} */
  const result = { boxes: new Map(), groups: new Map(), routes: new Map(), w: answer.width, h: answer.height, hash: graph.hash };
  /** @param {any} node @param {number} x @param {number} y */
  const visit = (node, x, y) => {
    for (const child of node.children ?? []) {
      const [cx, cy] = [x + child.x, y + child.y];
      if (child.id.startsWith('frame:')) {
        result.groups.set(child.id.slice(6), { x: cx, y: cy, w: child.width, h: child.height });
        visit(child, cx, cy);
      } else {
        for (const [key, box] of places.get(child.id).places) result.boxes.set(key, { ...box, x: cx + box.x, y: cy + box.y });
      }
    }
  };
  visit(answer, 0, 0);
  for (const edge of answer.edges ?? []) {
    const [section] = edge.sections ?? [];
    if (section) result.routes.set(edge.id, { points: [section.startPoint, ...(section.bendPoints ?? []), section.endPoint], side: false, lift: 0 });
  }
  return beside(graph, result, owner);
}

/** Lines from leaves at the side of their op, and the ends of all others. @param {Graph} graph @param {Layout} result @param {Map<string, string>} owner @returns {Layout} */
function beside(graph, result, owner) {
  for (const edge of graph.edges) {
    const [from, to] = [result.boxes.get(edge.from), result.boxes.get(edge.to)];
    if (!from || !to || owner.get(edge.from) !== edge.to) {
      if (from && to) touch(result.routes.get(edge.id)?.points, from, to);
      continue;
    }
    const y = Math.min(Math.max(from.y + from.h / 2, to.y + 16), to.y + to.h - 16);
    const fromY = Math.abs(from.y + from.h / 2 - y) < from.h / 2 - 10 ? y : from.y + from.h / 2;
    const [x1, x2] = [from.x, to.x + to.w];
    const middle = x1 - 24;
    const lift = edge.broadcast ? Math.max(12, Math.min(from.h, to.h) / 2 - 11) : 12; // above the strands of its sum
    result.routes.set(edge.id, { side: true, lift, points: fromY === y ? [{ x: x1, y }, { x: x2, y }] : [{ x: x1, y: fromY }, { x: middle, y: fromY }, { x: middle, y }, { x: x2, y }] });
  }
  return result;
}

/** The route's ends meet the cards, which may be lower than their rows. @param {Point[] | undefined} points @param {Box} from @param {Box} to */
function touch(points, from, to) {
  if (!points) return;
  points[0].y = from.y + from.h;
  points[points.length - 1].y = to.y;
}
