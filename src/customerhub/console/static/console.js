// What pages gain with a script; each of them works without. Everything is said by attributes of the page:
//   form[data-live="#id"]    is sent as it is typed in, and the part of the answer with this id takes the place of ours
//   form[data-inline="#id"]  is sent without leaving the page; the same with the answer, a refusal too
//   [data-poll="ms"]         is fetched again (its page, its id) until the answer has no such attribute
//   [data-copy="#id"]        copies the text of an element
//   [data-field="name"]      lights up everywhere while one of them is pointed at or has the focus
//   [data-confirm="text"]    asks before a form is sent
//   [data-check-all="name"]  checks every box of this name
"use strict";

const HEADERS = { "console-fragment": "1" };

function say(text) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.textContent = ""; }, 6000);
}

// The focus stays where it is, and so does what is being typed there.
function put(selector, page) {
  const ours = document.querySelector(selector);
  const theirs = page.querySelector(selector);
  if (!ours || !theirs) return false;
  const focused = ours.contains(document.activeElement) ? document.activeElement : null;
  const key = focused && focused.id;
  theirs.querySelectorAll("script").forEach((one) => one.remove());
  ours.replaceWith(document.adoptNode(theirs));
  const wrong = theirs.querySelector("[aria-invalid=true]");
  const next = wrong || (key && document.getElementById(key)) || (focused && theirs);
  if (next) {
    if (!next.matches("input, select, textarea, button, a, summary")) next.tabIndex = -1;
    next.focus({ preventScroll: true });
  }
  return true;
}

async function load(url, options) {
  const answer = await fetch(url, { credentials: "same-origin", ...options, headers: { ...HEADERS, ...(options && options.headers) } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return { answer, page };
}

function toQuery(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value !== "") query.append(name, value);
  return query.toString();
}

let liveTimer;
let liveTurn = 0;
function live(form, wait) {
  clearTimeout(liveTimer);
  liveTimer = setTimeout(async () => {
    const turn = ++liveTurn;
    const query = toQuery(form);
    const url = form.action.split("?")[0] + (query ? "?" + query : "");
    try {
      const { answer, page } = await load(url);
      // Whoever types on has asked again meanwhile.
      if (turn !== liveTurn) return;
      if (answer.redirected || !put(form.dataset.live, page)) { location.assign(url); return; }
      history.replaceState(null, "", url);
    } catch { say("The hub cannot be reached. What you see is as it was."); }
  }, wait);
}

async function inline(form, submitter) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter)) body.append(name, value);
  const action = (submitter && submitter.getAttribute("formaction")) || form.getAttribute("action");
  form.setAttribute("aria-busy", "true");
  try {
    const { answer, page } = await load(action, { method: "POST", body });
    if (put(form.dataset.inline, page)) {
      if (answer.ok) say(form.dataset.done || "Saved.");
    } else if (answer.redirected) {
      location.assign(answer.url);
    } else {
      const title = page.querySelector("h1");
      say(title ? title.textContent + ": " + (page.querySelector("main p") || title).textContent : "That did not work.");
    }
  } catch { say("The hub cannot be reached. Nothing was changed."); }
  form.removeAttribute("aria-busy");
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-live]");
  if (form) live(form, event.target.matches("select, [type=checkbox], [type=radio]") ? 0 : 150);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const asked = (event.submitter && event.submitter.dataset.confirm) || form.dataset.confirm;
  if (asked && !window.confirm(asked)) { event.preventDefault(); return; }
  if (form.matches("[data-live]")) { event.preventDefault(); live(form, 0); }
  else if (form.matches("[data-inline]")) { event.preventDefault(); inline(form, event.submitter); }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.querySelector(button.dataset.copy).textContent;
  const fallback = () => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("copy"));
  };
  // Without https browsers have no clipboard but for this machine itself.
  (navigator.clipboard ? navigator.clipboard.writeText(text).catch(fallback) : fallback())
    .then(() => say("Copied."), () => say("The browser does not let pages copy."));
});

document.addEventListener("change", (event) => {
  const all = event.target.dataset.checkAll;
  if (all) document.querySelectorAll(`input[type=checkbox][name="${CSS.escape(all)}"]`).forEach((box) => { box.checked = event.target.checked; });
});

function light(event) {
  const from = event.target.closest ? event.target.closest("[data-field]") : null;
  document.querySelectorAll("[data-field].lit").forEach((one) => one.classList.remove("lit"));
  if (!from || !from.dataset.field || event.type === "mouseout" || event.type === "focusout") return;
  const field = CSS.escape(from.dataset.field);
  document.querySelectorAll(`[data-field="${field}"]`).forEach((one) => one.classList.add("lit"));
}
for (const kind of ["mouseover", "mouseout", "focusin", "focusout"]) document.addEventListener(kind, light);

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.querySelector("input[type=search]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  }
});

function poll() {
  document.querySelectorAll("[data-poll][id]").forEach((region) => {
    if (region.dataset.polling) return;
    region.dataset.polling = "yes";
    setTimeout(async () => {
      const selector = "#" + CSS.escape(region.id);
      try {
        const { answer, page } = await load(location.href);
        if (answer.ok && put(selector, page)) {
          if (!document.querySelector(selector + "[data-poll]")) location.reload();
        }
      } catch { /* The next turn may find it again. */ }
      delete region.dataset.polling;
      poll();
    }, Number(region.dataset.poll));
  });
}
poll();
