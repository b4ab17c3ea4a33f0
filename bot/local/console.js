"use strict";
const byId = id => document.getElementById(id);
const SIDES = ["channel", "bot"], PAGE = 60, MOST = 300, EVERY = 1000, ANEW = 600_000;
const routes = {escalate: "Needs a person", reply: "For the bot", skip: "Skipped"};
const percent = share => `${Math.round(share * 100)}%`;
let tick = 0, asked = 0;

// ---- elements; text only ever enters as text

function make(tag, kind = "", content = "") {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  if (content) element.textContent = content;
  return element;
}
function button(label, act, kind = "") {
  const element = make("button", kind, label);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}
async function ask(path, body, method = body === undefined ? "GET" : "POST") {
  const raw = body instanceof Blob;
  let response, answer;
  try {
    response = await fetch(path, {method, body: body === undefined || raw ? body : JSON.stringify(body),
      headers: body === undefined ? {} : {"content-type": raw ? "application/octet-stream" : "application/json"}});
  } catch {
    throw new Error("the bot does not answer. Is it still running?");
  }
  try {
    answer = await response.json();
  } catch {
    throw new Error(`the bot's answer (${response.status}) cannot be read. Load this page again.`);
  }
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
// Screen readers speak what changes here, so it changes only when there is something to say.
function say(text) {
  if (byId("state").textContent !== text) byId("state").textContent = text;
}

// ---- a card

function quote(row) {
  const text = make("p", "text");
  text.dir = "auto";
  if (!row.text) text.textContent = row.erased ? "(its text was erased)" : "(no text)";
  for (const [part, weight] of row.text ? row.parts : []) {
    if (weight === null) { text.append(part); continue; }
    const mark = make("mark", weight < 0 ? "down" : "up", part);
    mark.title = `${weight > 0 ? "+" : "−"}${Math.abs(weight * 100).toFixed(1)} points towards escalating`;
    text.append(mark);
  }
  if (row.cut) text.append("…");
  return text;
}
function bar(row) {
  const track = make("div", "confidence"), filled = make("i"), line = make("b");
  track.setAttribute("role", "img");
  track.setAttribute("aria-label",
    `${percent(row.probability)} probability of needing a person; the threshold is ${percent(row.threshold)}`);
  track.title = track.getAttribute("aria-label");
  filled.style.width = percent(row.probability);
  line.style.left = percent(row.threshold);
  track.append(filled, line);
  return track;
}
// The rules refused the bot's answer when it was to be sent: the post is skipped, and nothing failed.
const skipped = ({route, reply}) => Boolean(route === "skip" && reply?.state === "failed" && !reply.by);
function answer(row) {
  const {state, text, by, problem} = row.reply, found = [];
  if (skipped(row)) return [make("p", "why", `Skipped: ${problem}`)];
  const did = {"dry-run": "would answer", sent: "answered", sending: "is answering", unknown: "may have answered",
    failed: "did not answer", pending: by || replies.mode === "on" ? "will answer" : "would answer"}[state];
  if (text) {
    const element = make("p", "answer");
    element.append(make("bdi", "by", by || "The bot"), ` ${did}: `, make("bdi", "", text));
    if (by && state === "dry-run") element.append(make("span", "why", " Not sent, because this post is not from X."));
    found.push(element);
  }
  if (problem) found.push(state === "pending" ? make("p", "why", `It waits: ${problem}`) : make("p", "problem", problem));
  return found;
}
function age(row) {
  const element = make("time");
  element.dateTime = row.received_at;
  element.title = new Date(row.received_at).toLocaleString();
  element.textContent = since(row.received_at);
  return element;
}
function since(moment) {
  const seconds = Math.max(0, (Date.now() - new Date(moment)) / 1000);
  if (seconds < 45) return "just now";
  const [unit, size] = seconds < 3600 ? ["min", 60] : seconds < 86400 ? ["h", 3600] : ["d", 86400];
  return `${Math.max(1, Math.round(seconds / size))} ${unit} ago`;
}
function face(row) {
  const top = make("div", "top"), who = make("bdi", "author", row.author ? `@${row.author}` : "unknown author");
  const how = row.probability === null ? "not judged" : `${percent(row.confidence)} confident`;
  top.append(make("span", "route", routes[row.route]), who);
  if (row.name && row.name !== row.author) top.append(make("bdi", "", row.name));
  top.append(make("span", "", how));
  if (row.unsure) top.append(make("span", "badge", "unsure"));
  top.append(age(row));
  if (row.assignee) top.append(make("bdi", "badge", `claimed by ${row.assignee}`));
  if (row.resolved) top.append(make("span", "badge", "resolved"));
  if (row.label !== null) top.append(make("span", "badge", row.label ? "label: a person was needed" : "label: no person was needed"));
  const parts = [top, quote(row)];
  if (row.probability !== null) parts.push(bar(row));
  if (row.thread) {
    const earlier = make("p", "why", "Goes on with ");
    earlier.append(...(row.author ? [make("bdi", "", `@${row.author}`), "’s"] : ["an"]), " earlier post.");
    parts.push(earlier);
  }
  const told = skipped(row) ? row.reply.problem : null;
  for (const reason of row.reasons) if (reason !== told) parts.push(make("p", "why", reason));
  if (row.reply) parts.push(...answer(row));
  for (const problem of row.problems) parts.push(make("p", "problem", problem));
  return parts;
}
// What can be done with a card: names that stay the same, labels, and what they do.
function offers(card) {
  const {row} = card, found = [], act = (name, label, deed) => found.push({name, label, start: () => run(card, deed)});
  const said = row.reply && ["sending", "sent", "unknown"].includes(row.reply.state);
  if (row.route === "escalate" && !row.erased) {
    if (!said) found.push({name: "reply", label: "Reply", kind: "primary", start: () => openForm(card)});
    if (row.resolved) act("resolve", "Reopen", {do: "reopen"});
    else if (row.assignee) act("claim", "Release", {do: "release"});
    else act("claim", "Claim", {do: "claim"});
    if (!row.resolved) act("resolve", "Resolve", {do: "resolve"});
  }
  if (!row.erased) {
    for (const right of [true, false])
      act(right ? "right" : "wrong", right ? "Right label" : "Wrong label", {do: "relabel", escalate: (row.route === "escalate") === right});
  }
  if (row.thread) found.push({name: "earlier", label: "Earlier post", start: () => lead(row.thread)});
  found.push({name: "why", label: "Why?", start: () => tell(row.tweet_id)});
  if (row.url) found.push({name: "link", label: "Open on X", url: row.url});
  return found;
}
class Card {
  constructor(row) {
    this.element = make("li");
    this.article = make("article");
    this.body = make("div");
    this.buttons = make("div", "buttons");
    this.problem = make("p", "problem");
    this.problem.setAttribute("role", "alert");
    this.article.append(this.body, this.buttons, this.problem);
    this.element.append(this.article);
    this.draw(row);
    cards.set(row.tweet_id, this);
  }
  draw(row) {
    this.row = row;
    this.article.className = `${row.route}${row.resolved ? " resolved" : ""}`;
    this.article.setAttribute("aria-label", `${routes[row.route]}: ${row.author || "unknown author"}`);
    this.article.dataset.id = row.tweet_id;
    this.body.replaceChildren(...face(row));
    this.offer();
  }
  // A button that stays is the same element, so a press that has begun outlives this, and so does focus.
  offer() {
    const stood = this.buttons.contains(document.activeElement);
    this.offered = new Map(offers(this).map(one => [one.name, one]));
    const there = new Map([...this.buttons.children].map(one => [one.dataset.act, one]));
    for (const [name, one] of there) if (!this.offered.has(name)) one.remove();
    [...this.offered.values()].forEach(({name, label, kind, url}, at) => {
      let one = there.get(name);
      if (!one) {
        one = url ? make("a") : button("", () => this.offered.get(name)?.start(), kind);
        one.dataset.act = name;
        if (url) { one.href = url; one.target = "_blank"; one.rel = "noopener noreferrer"; }
        this.buttons.insertBefore(one, this.buttons.children[at] || null);
      }
      if (one.textContent !== label) one.textContent = label;
    });
    if (stood && !this.buttons.contains(document.activeElement)) this.focus("reply");
  }
  focus(name) {
    (this.buttons.querySelector(`[data-act=${name}]`) || this.buttons.querySelector("button")).focus();
  }
  // What somebody types or stands on does not go away.
  get kept() {
    return Boolean(this.form) || this.element.contains(document.activeElement);
  }
  remove() {
    this.element.remove();
    cards.delete(this.row.tweet_id);
  }
}
const me = () => byId("who").value.trim() || "console";
const done = {claim: "Claimed", release: "Released", resolve: "Resolved", reopen: "Reopened", reply: "Answer noted", relabel: "Label noted"};
async function run(card, deed) {
  card.problem.textContent = "";
  try {
    const answer = await ask("/console/acts", {...deed, id: card.row.tweet_id, who: me()});
    const list = card.element.parentNode, next = card.element.nextElementSibling || card.element.previousElementSibling;
    const stood = card.element.contains(document.activeElement);
    place(answer.case);
    const moved = card.element.parentNode !== list;
    if (moved && stood) (next ? next.querySelector("button") : list.parentNode).focus();
    say(`${done[deed.do]}: ${answer.case.author || "unknown author"}${moved ? ", moved to those that need a person" : ""}`);
    refresh();
    return true;
  } catch (problem) {
    card.problem.textContent = problem.message;
    return false;
  }
}
// Characters as X counts them (developer documentation, "Counting characters"), links aside.
const signs = new Intl.Segmenter(), light = /[\0-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]/u;
const emoji = /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u;
const weight = text => [...signs.segment(text.normalize())].reduce((sum, {segment}) =>
  sum + (emoji.test(segment) ? 2 : [...segment].reduce((all, c) => all + (light.test(c) ? 1 : 2), 0)), 0);
async function openForm(card) {
  if (card.form) { card.form.elements[0].focus(); return; }
  const form = card.form = make("form"), field = make("textarea"), id = `reply-${card.row.tweet_id}`;
  const label = make("label", "", "Your public answer"), count = make("span", "count"), line = make("div", "line");
  label.htmlFor = field.id = id;
  count.id = `${id}-count`;
  field.setAttribute("aria-describedby", count.id);
  field.rows = 3;
  let sending = false;
  const weigh = () => {
    const length = weight(field.value.trim());
    count.textContent = `${length} of 280`;
    count.classList.toggle("problem", length > 280);
  };
  const close = () => {
    const stood = form.contains(document.activeElement);
    form.remove();
    card.form = null;
    card.problem.textContent = "";
    if (stood) card.focus("reply");
  };
  field.addEventListener("input", weigh);
  form.addEventListener("keydown", event => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", async event => {
    event.preventDefault();
    if (sending) return;
    sending = true;
    if (await run(card, {do: "reply", text: field.value}) && card.form === form) close();
    sending = false;
  });
  line.append(make("button", "primary", "Send"), button("Cancel", close), count);
  form.append(label, field, line);
  card.article.insertBefore(form, card.problem);
  weigh();
  field.focus();
  try {
    const told = await ask(`/console/case?id=${encodeURIComponent(card.row.tweet_id)}`);
    if (!field.value) field.value = told.suggestion;
  } catch (problem) {
    card.problem.textContent = problem.message;
  }
  weigh();
}
let told = "";
async function tell(id) {
  const inside = document.querySelector(".told");
  inside.replaceChildren();
  told = id;
  try {
    const found = await ask(`/console/case?id=${encodeURIComponent(id)}`), list = make("dl");
    if (told !== id) return;
    for (const [what, text] of found.story) {
      if (what !== "text") list.append(make("dt", "", what), make("dd", "", text));
    }
    inside.append(quote(found.case), list);
  } catch (problem) {
    inside.append(make("p", "problem", problem.message));
  }
  if (!byId("story").open) byId("story").showModal();
  byId("story").scrollTop = 0;
}
byId("close").addEventListener("click", () => byId("story").close());
// To a card that is on the page, or else to its story.
function lead(id) {
  const {article} = cards.get(id) || {};
  if (!article?.checkVisibility()) return tell(id);
  article.tabIndex = -1;
  article.scrollIntoView({block: "center"});
  article.focus({preventScroll: true});
}

// ---- the two columns

class Column {
  constructor(side) {
    this.section = byId(side);
    this.list = this.section.querySelector("ol");
    this.fresh = this.section.querySelector(".fresh");
    this.older = this.section.querySelector(".older");
    this.empty = this.section.querySelector(".empty");
    this.side = side;
    this.held = new Map();
    this.behind = false;
    this.limit = MOST;
    this.last = null;
    this.fresh.addEventListener("click", () => {
      this.release();
      this.section.focus({preventScroll: true});
      if (this.section.getBoundingClientRect().top < 0) this.section.scrollIntoView();
    });
    this.older.addEventListener("click", () => this.more());
    this.list.addEventListener("pointerleave", () => { if (!this.busy) this.release(); });
  }
  // A card must not slip away under a pointer, or from under the keyboard.
  get busy() {
    return (this.list.childElementCount > 0 && this.list.matches(":hover"))
      || Boolean(this.list.querySelector(":focus-visible")) || document.activeElement === this.fresh;
  }
  get all() {
    return [...this.list.children].map(item => cards.get(item.firstElementChild.dataset.id));
  }
  release() {
    const rows = [...this.held.values()];
    this.held.clear();
    if (this.behind) { tick = 0; refresh(); }
    else for (const row of rows) insert(this, row);
    this.tidy();
  }
  // The newest page is `rows`; older cards that were asked for stay where nothing lies between.
  replace(rows, force) {
    if (this.busy && !force) {
      this.behind = true;
      rows.forEach(place);
      return;
    }
    const kept = new Set(rows.map(row => row.tweet_id)), last = rows.at(-1) || null;
    const joined = !force && rows.length >= PAGE && cards.get(last.tweet_id)?.element.parentNode === this.list;
    for (const card of this.all) {
      if (!kept.has(card.row.tweet_id) && !card.kept && !(joined && later(last, card.row))) card.remove();
    }
    this.held.clear();
    this.behind = false;
    for (const row of rows) insert(this, row);
    if (!joined) {
      this.last = last;
      this.limit = MOST;
      this.older.hidden = rows.length < PAGE;
    }
  }
  tidy() {
    const beyond = this.all.slice(this.limit).filter(card => !card.kept);
    if (beyond.length) {
      for (const card of beyond) card.remove();
      this.last = this.all[this.limit - 1].row;
      this.older.hidden = Boolean(searching);
    }
    this.fresh.hidden = !this.held.size;
    this.fresh.textContent = this.behind ? "Show what is new" : `Show ${this.held.size} new`;
    this.empty.hidden = this.list.childElementCount + this.held.size > 0;
    this.empty.textContent = searching ? "None of these is found." : this.empty.dataset.empty;
  }
  async more() {
    const query = new URLSearchParams({side: this.side, before: this.last.received_at, id: this.last.tweet_id});
    try {
      const older = await ask(`/console/older?${query}`), stood = document.activeElement === this.older;
      if (searching) return;
      this.limit += older.cases.length;
      for (const row of older.cases) insert(this, row);
      this.last = older.cases.at(-1) || this.last;
      this.older.hidden = older.cases.length < PAGE;
      const first = cards.get((older.cases[0] || this.last).tweet_id);
      if (stood && this.older.hidden && first) first.focus("reply");
    } catch (problem) {
      say(`No older cards: ${problem.message}`);
    }
  }
}
const cards = new Map();
const columns = Object.fromEntries(SIDES.map(side => [side, new Column(side)]));
const both = Object.values(columns);
const sideOf = row => row.route === "escalate" ? "channel" : "bot";
const later = (one, other) => one.received_at > other.received_at
  || (one.received_at === other.received_at && one.tweet_id > other.tweet_id);

function insert(column, row) {
  let card = cards.get(row.tweet_id);
  if (card) card.draw(row);
  else card = new Card(row);
  if (card.element.parentNode === column.list) return;
  const next = [...column.list.children].find(item => later(row, cards.get(item.firstElementChild.dataset.id).row));
  column.list.insertBefore(card.element, next || null);
}
function place(row) {
  const column = columns[sideOf(row)], card = cards.get(row.tweet_id);
  for (const other of both) if (other !== column) other.held.delete(row.tweet_id);
  if (card && card.element.parentNode === column.list) card.draw(row);
  else if (column.busy) {
    if (card) card.remove();
    column.held.set(row.tweet_id, row);
  } else {
    column.held.delete(row.tweet_id);
    insert(column, row);
  }
  for (const one of both) one.tidy();
}
function replaceAll(rows, force = false) {
  for (const column of both) column.replace(rows.filter(row => columns[sideOf(row)] === column), force);
  for (const column of both) column.tidy();
}

// ---- the numbers on top

function duration(seconds) {
  if (seconds === null) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 90 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}
function count(numbers) {
  const received = numbers.escalated + numbers.answered + numbers.skipped;
  const shown = {received, escalated: numbers.escalated, answered: numbers.answered, skipped: numbers.skipped,
    waiting: numbers.waiting, dead: numbers.dead};
  for (const [id, number] of Object.entries(shown)) byId(id).textContent = number.toLocaleString();
  byId("median").textContent = duration(numbers.median);
  byId("dead-box").className = numbers.dead ? "bad" : "";
  draw(numbers.bars);
}
function draw(bars) {
  const chart = byId("chart"), highest = Math.max(4, ...bars.map(([, a, b, c]) => a + b + c)), width = 600 / bars.length;
  chart.replaceChildren();
  bars.forEach(([start, ...heights], at) => {
    let floor = 64;
    heights.forEach((height, kind) => {
      if (!height) return;
      const block = document.createElementNS("http://www.w3.org/2000/svg", "rect"), tall = height / highest * 62;
      for (const [name, value] of Object.entries({x: at * width + .5, y: floor -= tall, width: width - 1, height: tall,
        class: ["escalate", "reply", "skip"][kind]})) block.setAttribute(name, value);
      const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
      title.textContent = `${new Date(start).toLocaleString()}: ${height} ${["escalated", "answered", "skipped"][kind]}`;
      block.append(title);
      chart.append(block);
    });
  });
  const sum = kind => bars.reduce((total, one) => total + one[kind], 0);
  chart.setAttribute("aria-label", `Tweets of the last ${byId("period").value}: ${sum(1)} escalated, `
    + `${sum(2)} answered, ${sum(3)} skipped; at most ${Math.max(...bars.map(([, a, b, c]) => a + b + c))} in one bar`);
}

// ---- live

let timer, searching = "", loaded = 0, forced = false, down = true;
async function refresh() {
  clearTimeout(timer);
  const mine = ++asked;
  try {
    // What retention removed is never told as a change, so everything is read anew now and then.
    if (Date.now() - loaded > ANEW && !searching) tick = 0;
    const state = await ask(`/console/cases?since=${tick}&period=${byId("period").value}`);
    if (mine !== asked) return;
    count(state.numbers);
    stand(state.replies);
    charge(state.costs);
    byId("feed").setAttribute("aria-checked", state.playing);
    show(state);
  } catch (problem) {
    if (mine === asked) say(`Not up to date: ${problem.message}`);
    down = true;
  }
  if (mine === asked) timer = setTimeout(refresh, document.hidden ? 5 * EVERY : EVERY);
}
function show(state) {
  const unseen = row => !cards.has(row.tweet_id) && both.every(column => !column.held.has(row.tweet_id));
  const fresh = searching ? 0 : state.cases.filter(row => row.route === "escalate" && unseen(row)).length;
  if (searching) state.cases.filter(row => cards.has(row.tweet_id)).forEach(place);
  else if (state.whole) { replaceAll(state.cases, forced); loaded = Date.now(); forced = false; }
  else state.cases.sort((one, other) => later(one, other) ? 1 : -1).forEach(place);
  if (down) say("Live");
  else if (fresh) say(`Live · ${fresh} newly escalated at ${new Date().toLocaleTimeString()}`);
  down = false;
  tick = state.tick;
  for (const column of both) if (!searching && !column.busy && (column.held.size || column.behind)) column.release();
}
setInterval(() => {
  for (const element of document.querySelectorAll("time")) element.textContent = since(element.dateTime);
}, 15_000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
byId("period").addEventListener("change", refresh);

// ---- search

let searchTimer;
async function search() {
  const words = byId("search").value.trim();
  if (words === searching) return;
  searching = words;
  if (!words) { tick = 0; forced = down = true; refresh(); return; }
  try {
    const found = await ask(`/console/search?words=${encodeURIComponent(words)}`);
    if (words !== searching) return;
    replaceAll(found.cases, true);
    for (const column of both) column.older.hidden = true;
    say(found.cases.length < 100 ? `${found.cases.length} found` : "The newest 100 found");
  } catch (problem) {
    say(`Not searched: ${problem.message}`);
  }
}
byId("search").addEventListener("input", () => { clearTimeout(searchTimer); searchTimer = setTimeout(search, 200); });
document.addEventListener("keydown", event => {
  const typing = event.target.matches("input:not([type=file]), textarea, select") || byId("story").open;
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    byId("search").focus();
  }
});

// ---- whether replies go out, and what X takes

let replies = {};
function stand(found) {
  const {mode, paused} = found;
  byId("pause").hidden = mode === "off";
  if (JSON.stringify(found) === JSON.stringify(replies)) return;
  const changed = mode !== replies.mode;
  replies = found;
  if (changed) for (const card of cards.values()) card.draw(card.row);
  const told = {on: "Automatic replies go out.", off: "Automatic replies are off.",
    "dry-run": "Automatic replies are a dry run: none is sent."}[mode];
  const held = paused && mode !== "off";
  byId("replies").replaceChildren(...(held ? ["Automatic replies are paused by ", make("bdi", "", paused.who),
    ` since ${clock(paused.at)}. What agents write is still sent.`] : [told]));
  byId("standing").classList.toggle("held", Boolean(held));
  byId("pause").textContent = held ? "Resume replies" : "Pause replies";
}
function clock(moment) {
  const at = new Date(moment), today = at.toDateString() === new Date().toDateString();
  return at.toLocaleString([], {...(today ? {} : {month: "short", day: "numeric"}), hour: "2-digit", minute: "2-digit"});
}
byId("pause").addEventListener("click", async () => {
  try {
    const answer = await ask("/console/pause", {pause: !replies.paused, who: me()});
    stand(answer.replies);
    refresh();
  } catch (problem) {
    say(`The replies: ${problem.message}`);
  }
});
const dollars = millionths => millionths && millionths < 10_000 ? "less than $0.01"
  : (millionths / 1e6).toLocaleString("en-US", {style: "currency", currency: "USD"});
function charge(costs) {
  const place = byId("costs");
  if (place.dataset.shown === JSON.stringify(costs)) return;
  place.dataset.shown = JSON.stringify(costs);
  place.replaceChildren();
  if (!costs) return;
  const {today, month, budget} = costs;
  place.append(`X: ${dollars(today)} today, ${dollars(month)} this month${budget === null ? "" : ` of ${dollars(budget)}`}. `);
  if (costs.answers_wait) place.append(make("span", "problem", "The month’s budget is used up: automatic replies wait. "));
  if (costs.reading_ended) place.append(make("span", "problem", "The month’s reads are used up: mentions stay unread."));
}

// ---- trying, posting, playing, dropping

let tryTimer, tried = 0;
async function judge() {
  const mine = ++tried, text = byId("text").value, preview = byId("preview");
  if (!text.trim()) { preview.replaceChildren(); byId("verdict").textContent = ""; return; }
  try {
    const answer = await ask("/console/try", {text, handle: byId("handle").value});
    if (mine !== tried) return;
    const article = make("article", answer.case.route);
    article.append(...face(answer.case));
    preview.replaceChildren(article);
    byId("verdict").textContent = `${routes[answer.case.route]}. ${answer.case.reasons.join(" ")}`;
  } catch (problem) {
    if (mine === tried) preview.replaceChildren(make("p", "problem", problem.message));
  }
}
for (const id of ["text", "handle"]) byId(id).addEventListener("input", () => {
  byId("posted").textContent = "";
  clearTimeout(tryTimer);
  tryTimer = setTimeout(judge, 120);
});
byId("post").addEventListener("click", async () => {
  try {
    await ask("/console/tweets", {text: byId("text").value, handle: byId("handle").value});
    byId("text").value = "";
    judge();
    byId("posted").textContent = "Posted: its case appears below.";
    refresh();
  } catch (problem) {
    byId("posted").textContent = problem.message;
  }
});
byId("feed").addEventListener("click", async () => {
  const play = byId("feed").getAttribute("aria-checked") !== "true";
  try {
    const answer = await ask("/console/feed", {play});
    byId("feed").setAttribute("aria-checked", answer.playing);
    refresh();
  } catch (problem) {
    say(`The feed: ${problem.message}`);
  }
});
async function send(file) {
  const told = byId("dropped"), largest = Number(byId("file").dataset.largest);
  if (file.size > largest) {
    told.textContent = `${file.name} has more than ${largest / 2 ** 20} MB: use the command “ingest” for it.`;
    return;
  }
  told.textContent = `Reading ${file.name}…`;
  try {
    const answer = await ask(`/console/files?name=${encodeURIComponent(file.name)}`, file);
    told.textContent = `${answer.queued.toLocaleString()} tweets queued, ${answer.refused} refused.`;
    if (answer.problems.length) {
      const list = make("ul");
      list.tabIndex = 0;
      for (const problem of answer.problems) list.append(make("li", "", problem));
      told.append(list);
      if (answer.refused > answer.problems.length) told.append(`and ${answer.refused - answer.problems.length} more.`);
    }
    refresh();
  } catch (problem) {
    told.textContent = problem.message;
  }
}
byId("file").addEventListener("change", async event => {
  if (event.target.files[0]) await send(event.target.files[0]);
  event.target.value = "";
});
for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, event => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.toggle("dragged", kind === "dragover");
  if (kind === "drop" && event.dataTransfer.files[0]) send(event.dataTransfer.files[0]);
});

// ---- what the browser remembers, and the narrow view

for (const id of ["who", "period"]) {
  try { byId(id).value = localStorage.getItem(id) || byId(id).value; } catch { /* a browser may forbid it */ }
  if (id === "period" && !byId(id).value) byId(id).value = "day";
  byId(id).addEventListener("change", () => {
    try { localStorage.setItem(id, byId(id).value.trim()); } catch { /* as above */ }
  });
}
byId("who").addEventListener("input", () => {
  for (const card of cards.values()) card.offer();
});
for (const one of document.querySelectorAll(".sides button")) one.addEventListener("click", () => {
  byId("columns").dataset.side = one.dataset.side;
  for (const other of document.querySelectorAll(".sides button")) other.setAttribute("aria-pressed", other === one);
});
refresh();
