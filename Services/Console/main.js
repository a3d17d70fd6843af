// Where the console is put together: session, shell, pages.

import { Problem } from "./lib/api.js";
import { replace } from "./lib/dom.js";
import { Router } from "./lib/router.js";
import { Session } from "./lib/session.js";
import { failure, loading, pageHead } from "./ui/controls.js";
import { clearAll, closeAll, toast } from "./ui/dialog.js";
import { Shell } from "./ui/shell.js";
import { signInPage, signInDialog } from "./pages/sign-in.js";

/** A module that could not be fetched is asked for again; the rest of them come while nothing else is to be done. */
async function load(page) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await page();
    } catch (error) {
      if (attempt >= 5 || !(error instanceof TypeError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * (attempt + 1)));
    }
  }
}

const root = document.getElementById("app");
const session = new Session();
const shell = new Shell(session, root);

// Each page's module is fetched when it is first looked at.
const router = new Router(show, closeAll)
  .add("board", () => import("./pages/board.js"))
  .add("ask", () => import("./pages/ask.js"))
  .add("people", () => import("./pages/people.js"))
  .add("people/:id", () => import("./pages/person.js"))
  .add("projects", () => import("./pages/projects.js"))
  .add("projects/:id", () => import("./pages/project.js"))
  .add("skills", () => import("./pages/skills.js"))
  .add("reports", () => import("./pages/reports.js"))
  .add("reports/:kind", () => import("./pages/reports.js"))
  .add("import", () => import("./pages/import.js"))
  .add("models", () => import("./pages/models.js"))
  .add("models/:id", () => import("./pages/model.js"))
  .add("jobs/:id", () => import("./pages/job.js"))
  .add("administration", () => import("./pages/administration.js"))
  .add("administration/:part", () => import("./pages/administration.js"))
  .add("operator", () => import("./pages/operator.js"))
  .add("health", () => import("./pages/health.js"));

let leave = null;

/** Shows the page of a place; what the page before left running is stopped. */
async function show({ path, query }) {
  if (!session.me) return;
  if (path === "" && shell.pages.length > 0) return router.go(shell.pages[0]);
  leave?.abort();
  leave = new AbortController();
  const { signal } = leave;
  shell.mark(path);
  const found = router.find(path);
  if (!found) return replace(shell.main, path === "" ? pageHead("Nothing to see", { note: "Your roles open no page. Ask an administrator for a role." }) : pageHead("Not found", { note: "There is no such page." }));
  replace(shell.main, loading());
  try {
    const { default: page } = await load(found.page);
    // A page that was left moves nothing any more.
    const context = {
      session, api: session.api, query, parameters: found.parameters, signal, main: shell.main,
      router: { go: (...to) => router.go(...to), note: (seen) => signal.aborted || router.note(seen) },
      reload: () => signal.aborted || show(router.place),
    };
    const content = await page(context);
    if (signal.aborted) return;
    replace(shell.main, content);
    document.title = `${shell.main.querySelector("h1")?.textContent ?? "ERM"} – ERM`;
    shell.main.querySelector("h1")?.focus({ preventScroll: true });
  } catch (error) {
    if (!signal.aborted) replace(shell.main, failure(error, () => show(router.place)));
  }
}

async function signedIn() {
  shell.show();
  await show(router.place);
  (globalThis.requestIdleCallback ?? setTimeout)(() => router.pages.forEach((page) => page().catch(() => {})));
}

function signedOut(reason) {
  leave?.abort();
  clearAll();
  document.title = "Sign in – ERM";
  replace(root, signInPage(session, signedIn, reason));
}

// What a button asked for and nobody else has shown.
addEventListener("unhandledrejection", (event) => {
  if (!(event.reason instanceof Problem)) return;
  event.preventDefault();
  toast(event.reason.message, { tone: "bad" });
});
session.addEventListener("expired", () => signInDialog(session));
session.addEventListener("end", (event) => signedOut(event.detail));

session.api.onwait = () => shell.wait(session.api);
replace(root, loading());
session.resume().then(
  (me) => (me ? signedIn() : signedOut(null)),
  (error) => replace(root, failure(error, () => location.reload())));
