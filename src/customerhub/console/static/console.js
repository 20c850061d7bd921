// What pages gain with a script; each of them works without. Everything is said by attributes of the page:
//   form[data-live="#id"]    is sent as it is typed in, and the part of the answer with this id takes the place of ours
//   form[data-inline="#id"]  is sent without leaving the page; the same with the answer, a refusal too
//   a[data-inline="#id"]     is followed without leaving the page; the same with the answer
//   [data-part][id]          is shown anew after an inline form was done, unless somebody is typing in it
//   [data-poll="ms"]         is fetched again (its page, its id) until the answer has no such attribute
//   [data-copy="#id"]        copies the text of an element
//   [data-field="names"]     lights up wherever one of the names stands, while one of them is pointed at or has the focus
//   [data-confirm="text"]    asks before a form is sent
//   [data-check-all="name"]  checks every box of this name
"use strict";

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
  const first = theirs.querySelector("[autofocus]");
  if (first) first.removeAttribute("autofocus");
  ours.replaceWith(document.adoptNode(theirs));
  const wrong = theirs.querySelector("[aria-invalid=true]");
  const next = wrong || first || (key && document.getElementById(key)) || (focused && (theirs.querySelector("[data-edit]") || theirs));
  if (next) {
    if (!next.matches("input, select, textarea, button, a, summary")) next.tabIndex = -1;
    next.focus({ preventScroll: true });
  }
  return true;
}

// What else of the page the change was felt in; a part in which somebody has a form open keeps it.
function refresh(page) {
  document.querySelectorAll("[data-part][id]").forEach((part) => {
    if (!part.isConnected || part.querySelector("form.editing")) return;
    put("#" + CSS.escape(part.id), page);
  });
}

async function load(url, options) {
  const answer = await fetch(url, { credentials: "same-origin", ...options });
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

// Whoever has been signed out and in again meanwhile has forms with an old proof.
async function renew() {
  const { answer, page } = await load(location.href);
  const proof = page.querySelector("input[name=csrf]");
  if (!answer.ok || answer.redirected || !proof) return false;
  document.querySelectorAll("input[name=csrf]").forEach((one) => { one.value = proof.value; });
  return true;
}

async function send(form, submitter) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter)) body.append(name, value);
  return load((submitter && submitter.getAttribute("formaction")) || form.getAttribute("action"), { method: "POST", body });
}

// Whether somebody is typing in what the answer would take the place of, in a card other than the form's own.
function isTypedIn(form) {
  const target = document.querySelector(form.dataset.inline);
  const own = form.closest("[data-part]");
  return target !== null && [...target.querySelectorAll("form.editing")].some((one) => one !== form && one.closest("[data-part]") !== own);
}

// The rest of the page is shown anew, and a card that is gone goes.
function leave(form, page) {
  const own = form.closest("[data-part][id]");
  refresh(page);
  if (own && own.isConnected && !page.getElementById(own.id)) own.remove();
}

async function inline(form, submitter) {
  if (form.hasAttribute("aria-busy")) return;
  form.setAttribute("aria-busy", "true");
  try {
    let { answer, page } = await send(form, submitter);
    if (answer.status === 403 && await renew()) ({ answer, page } = await send(form, submitter));
    const theirs = page.querySelector(form.dataset.inline);
    if (answer.redirected && new URL(answer.url).pathname === "/signin") {
      say("You are signed out. Sign in in another window, then save again: what you typed stays here.");
    } else if (theirs && isTypedIn(form)) {
      const reason = theirs.querySelector(".notice, .reason");
      if (answer.ok) { leave(form, page); say(form.dataset.done || "Saved."); }
      else say(reason ? reason.textContent : "That did not work. Load the page again.");
    } else if (put(form.dataset.inline, page)) {
      if (answer.ok) { refresh(page); say(form.dataset.done || "Saved."); }
    } else if (answer.redirected) {
      location.assign(answer.url);
    } else {
      const title = page.querySelector("h1");
      say(title ? title.textContent + ": " + (page.querySelector("main p") || title).textContent : "That did not work.");
    }
  } catch { say("The hub cannot be reached. Nothing was changed."); }
  form.removeAttribute("aria-busy");
}

// Whoever clicks twice means it once.
function once(form, event) {
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  setTimeout(() => { delete form.dataset.sent; }, 5000);
}

async function follow(link) {
  try {
    const { answer, page } = await load(link.href);
    if (!answer.ok || !put(link.dataset.inline, page)) location.assign(link.href);
  } catch { say("The hub cannot be reached."); }
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
  else if (form.method === "post") once(form, event);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-inline]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  follow(link);
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

window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; });
});

document.addEventListener("change", (event) => {
  const all = event.target.dataset.checkAll;
  if (all) document.querySelectorAll(`input[type=checkbox][name="${CSS.escape(all)}"]`).forEach((box) => { box.checked = event.target.checked; });
});

function light(event) {
  const from = event.target.closest ? event.target.closest("[data-field]") : null;
  document.querySelectorAll("[data-field].lit").forEach((one) => one.classList.remove("lit"));
  if (!from || !from.dataset.field || event.type === "mouseout" || event.type === "focusout") return;
  for (const field of from.dataset.field.split(" ")) {
    document.querySelectorAll(`[data-field~="${CSS.escape(field)}"]`).forEach((one) => one.classList.add("lit"));
  }
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
        // What was waited for is over where the page has it no more, or says so no more.
        if (answer.ok && (!put(selector, page) || !document.querySelector(selector + "[data-poll]"))) location.reload();
      } catch { /* The next turn may find it again. */ }
      delete region.dataset.polling;
      poll();
    }, Number(region.dataset.poll));
  });
}
poll();
