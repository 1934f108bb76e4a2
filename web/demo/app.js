"use strict";
// The first page: the business's line with its QR, a simulated phone that scans it and writes as a customer, and the
// appointments as they are made. It talks to the public API and, for the phone, to the simulated network.

const lang = TEXTS[navigator.language?.slice(0, 2)] ? navigator.language.slice(0, 2) : "es";
const t = TEXTS[lang];
const $ = (name) => document.getElementById(name);

for (const node of document.querySelectorAll("[data-text]")) node.textContent = t[node.dataset.text];

// ---- the API ----

let session = JSON.parse(sessionStorage.getItem("session") ?? "null");
let refreshing = null;

const keep = (tokens) => {
  session = tokens;
  if (tokens) sessionStorage.setItem("session", JSON.stringify(tokens));
  else sessionStorage.removeItem("session");
};

const problem = async (response) => {
  const body = await response.json().catch(() => ({}));
  const err = new Error(body.detail ?? response.statusText);
  err.status = response.status;
  err.code = body.code;
  return err;
};

const refresh = () => {
  refreshing ??= fetch("/api/auth/refresh", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ refreshToken: session.refreshToken }) })
    .then(async (r) => {
      if (!r.ok) throw await problem(r);
      keep({ ...session, ...(await r.json()) });
    })
    .finally(() => { refreshing = null; });
  return refreshing;
};

const api = async (method, path, { body, accept } = {}, again = true) => {
  const headers = {};
  if (session) headers.Authorization = "Bearer " + session.accessToken;
  if (body) headers["Content-Type"] = "application/json";
  if (accept) headers.Accept = accept;
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (response.status === 401 && session && again) {
    try {
      await refresh();
    } catch (err) {
      if (err.status === 401) leave();
      throw err;
    }
    return api(method, path, { body, accept }, false);
  }
  if (!response.ok) throw await problem(response);
  if (response.status === 204) return null;
  return response.headers.get("Content-Type")?.includes("json") ? response.json() : response.blob();
};

const sim = async (method, path, body) => {
  const response = await fetch("/sim" + path, { method, headers: body ? { "Content-Type": "application/json" } : {}, body: body && JSON.stringify(body) });
  if (!response.ok) throw await problem(response);
  return response.status === 204 ? null : response.json();
};

const guarded = (errorNode, action) => async (...args) => {
  try {
    await action(...args);
    errorNode.textContent = "";
  } catch (err) {
    errorNode.textContent = err instanceof TypeError ? t.offline : t.failed + err.message;
  }
};

// ---- logging in ----

const leave = () => {
  keep(null);
  $("desk").hidden = $("logout").hidden = true;
  $("login").hidden = false;
  $("business").textContent = "";
};

const enter = async (email, password) => {
  keep(null);
  keep(await api("POST", "/api/auth/login", { body: { email, password } }));
  await open();
};

$("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  guarded($("login-error"), () => enter(form.get("email"), form.get("password")))();
});
$("logout").addEventListener("click", guarded($("line-error"), async () => {
  await api("POST", "/api/auth/logout", { body: { refreshToken: session.refreshToken } }).catch(() => {});
  leave();
}));

// ---- the line ----

let settings = {};
let phones = [];
let line = {};
let qrText = "";

const businessPhone = () => phones.find((p) => p.name === settings.name) ?? phones[0];

const showQR = async () => {
  const code = await api("GET", "/api/whatsapp/qr", { accept: "application/json" }).catch((err) => {
    if (err.status === 409) return { qr: qrText }; // it was used or is being changed
    throw err;
  });
  if (code.qr === qrText) return;
  const picture = await api("GET", "/api/whatsapp/qr", { accept: "image/png" });
  URL.revokeObjectURL($("qr").src);
  $("qr").src = URL.createObjectURL(picture);
  $("qr").alt = t.qrHint;
  qrText = code.qr;
};

const watchLine = guarded($("line-error"), async () => {
  line = await api("GET", "/api/whatsapp/status").catch((err) => {
    if (err.status === 404 || err.code === "session_not_linked") return { status: "stopped" };
    throw err;
  });
  $("status").textContent = t.state[line.status] ?? line.status;
  $("status").className = "badge " + line.status;
  $("number").textContent = line.number ?? "";
  $("link").hidden = !["stopped", "logged_out"].includes(line.status);
  $("qr-box").hidden = line.status !== "qr";
  $("scan").hidden = phones.length === 0;
  $("linked").hidden = line.status !== "connected";
  if (line.status === "qr") await showQR();
});

$("link").addEventListener("click", guarded($("line-error"), async () => {
  await api("POST", "/api/whatsapp/init");
  await watchLine();
}));
$("scan").addEventListener("click", guarded($("line-error"), async () => {
  await sim("POST", `/phones/${encodeURIComponent(businessPhone().number)}/scan`, { qr: qrText });
  await watchLine();
}));

// ---- the phone ----

// formatted shows *bold* as WhatsApp does.
const formatted = (text) => text.split(/(\*[^*\n]+\*)/).map((part) => {
  if (!/^\*[^*\n]+\*$/.test(part)) return part;
  const bold = document.createElement("b");
  bold.textContent = part.slice(1, -1);
  return bold;
});

let shown = new Set();

const watchChat = guarded($("phone-error"), async () => {
  const me = $("customer").value;
  if (!me) return;
  const { items } = await sim("GET", `/phones/${encodeURIComponent(me)}/messages`);
  if (me !== $("customer").value) return;
  let added = false;
  for (const m of items) {
    if (shown.has(m.id) || m.type !== "text") continue;
    shown.add(m.id);
    added = true;
    const li = document.createElement("li");
    li.className = m.direction;
    li.append(...formatted(m.text));
    const time = document.createElement("time");
    time.dateTime = m.timestamp;
    time.textContent = new Date(m.timestamp).toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit" });
    li.append(time);
    $("chat").append(li);
  }
  if (added) $("chat").scrollTop = $("chat").scrollHeight;
});

const write = guarded($("phone-error"), async (text) => {
  await sim("POST", `/phones/${encodeURIComponent($("customer").value)}/messages`, { to: businessPhone().number, text });
  await watchChat();
});

$("write").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  write(text);
});
$("customer").addEventListener("change", () => {
  shown = new Set();
  $("chat").replaceChildren();
  watchChat();
});
for (const phrase of t.quick) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = phrase;
  button.addEventListener("click", () => write(phrase));
  $("quick").append(button);
}

// ---- the agenda ----

const watchAgenda = guarded($("agenda-error"), async () => {
  const from = new Date(Date.now() - 86400000).toISOString();
  const { items } = await api("GET", "/api/appointments?limit=50&from=" + encodeURIComponent(from));
  $("agenda-empty").hidden = items.length > 0;
  $("agenda").replaceChildren(...items.map((a) => {
    const li = document.createElement("li");
    li.className = a.status;
    const when = document.createElement("strong");
    when.textContent = new Intl.DateTimeFormat(lang, { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", timeZone: a.location?.zone }).format(new Date(a.start));
    li.append(when, `${a.services.map((s) => s.name).join(", ")} · ${a.staff.name}`, document.createElement("br"),
      `${a.customer.name} · ${t.appointment[a.status] ?? a.status}`);
    return li;
  }));
});

// ---- the page ----

let timers = [];

const open = async () => {
  settings = await api("GET", "/api/settings");
  phones = (await sim("GET", "/phones").catch(() => ({ items: [] }))).items ?? [];
  $("business").textContent = settings.name;
  $("login").hidden = true;
  $("desk").hidden = $("logout").hidden = false;
  const customers = phones.filter((p) => p.number !== businessPhone()?.number);
  $("customer").replaceChildren(...customers.map((p) => Object.assign(document.createElement("option"), { value: p.number, textContent: `${p.name} · ${p.number}` })));
  timers.forEach(clearInterval);
  timers = [[watchLine, 1500], [watchChat, 1000], [watchAgenda, 2000]].map(([watch, every]) => {
    watch();
    return setInterval(() => { if (session && !document.hidden) watch(); }, every);
  });
};

// The address that the demo prints carries the login behind the #, which a browser never sends.
const given = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, "", location.pathname);
if (given.has("email")) enter(given.get("email"), given.get("password") ?? "").catch(leave);
else if (session) open().catch(leave);
else leave();
