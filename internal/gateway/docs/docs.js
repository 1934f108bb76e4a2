"use strict";
// Shows the OpenAPI document: operations by group, with their callers, parameters, bodies and answers.

const el = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};

let components = {};

const resolve = (schema) => {
  let s = schema ?? {};
  while (s.$ref) s = components[s.$ref.split("/").pop()] ?? {};
  return s;
};

// example writes a value of the schema's shape.
const example = (schema, depth = 0) => {
  const s = resolve(schema);
  if (s.examples?.length) return s.examples[0];
  if (s.default !== undefined) return s.default;
  if (s.enum) return s.enum[0];
  const type = Array.isArray(s.type) ? s.type.find((t) => t !== "null") : s.type;
  if (depth > 6) return "…";
  if (type === "object" || s.properties) {
    return Object.fromEntries(Object.entries(s.properties ?? {}).map(([k, v]) => [k, example(v, depth + 1)]));
  }
  if (type === "array") return [example(s.items, depth + 1)];
  if (type === "integer" || type === "number") return s.minimum ?? 0;
  if (type === "boolean") return false;
  if (s.format === "date-time") return "2026-03-27T15:00:00-03:00";
  return s.format ? `(${s.format})` : "text";
};

const jsonBlock = (content) => {
  const media = content?.["application/json"];
  if (!media) return "";
  return el("pre", {}, JSON.stringify(example(media.schema), null, 2));
};

const parameters = (list) => {
  if (!list?.length) return "";
  const rows = list.map((p) => el("tr", {},
    el("td", {}, el("code", {}, p.name)), el("td", {}, p.in + (p.required ? ", required" : "")), el("td", {}, p.description ?? "")));
  return el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, "Parameter"), el("th", {}, "Where"), el("th", {}, "What"))), el("tbody", {}, ...rows));
};

const operation = (path, method, op) => {
  const callers = (op["x-roles"] ?? []).join(", ") + (op["x-scope"] ? ` · API key scope ${op["x-scope"]}` : "");
  const body = el("details", { id: op.operationId },
    el("summary", {}, el("span", { className: "method" }, method.toUpperCase()), el("code", {}, path), " ", op.summary ?? ""),
    el("p", { className: "roles" }, "Who may call: " + callers));
  if (op.description) body.append(el("p", {}, op.description));
  body.append(parameters(op.parameters));
  if (op.requestBody) body.append(el("h4", {}, "Request"), jsonBlock(op.requestBody.content));
  for (const [status, answer] of Object.entries(op.responses ?? {})) {
    if (status.startsWith("2")) body.append(el("h4", {}, `Answer ${status}`), jsonBlock(answer.content));
  }
  body.dataset.words = `${method} ${path} ${op.summary ?? ""} ${op.operationId}`.toLowerCase();
  return body;
};

const show = (doc) => {
  components = doc.components?.schemas ?? {};
  const groups = new Map();
  for (const [path, methods] of Object.entries(doc.paths)) {
    for (const [method, op] of Object.entries(methods)) {
      if (!op.operationId) continue;
      const tag = op.tags?.[0] ?? "other";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(path, method, op));
    }
  }
  const main = document.getElementById("operations");
  main.replaceChildren(...[...groups].sort().map(([tag, ops]) => el("section", {}, el("h2", {}, tag), ...ops)));
  if (location.hash) document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
};

document.getElementById("find").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase();
  for (const node of document.querySelectorAll("details")) node.hidden = !node.dataset.words.includes(words);
});

fetch("/openapi.json")
  .then((r) => (r.ok ? r.json() : Promise.reject(new Error(r.statusText))))
  .then(show)
  .catch((err) => document.getElementById("operations").replaceChildren(el("p", {}, "The document could not be loaded: " + err.message)));
