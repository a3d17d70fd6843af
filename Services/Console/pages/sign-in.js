// Signing in: by tenant, e-mail and password, or with the platform operator's key.

import { h, replace } from "../lib/dom.js";
import { button, field, input } from "../ui/controls.js";
import { formDialog, showProblem } from "../ui/dialog.js";

export function signInPage(session, done, reason) {
  const place = h("div", { class: "sign-in" });
  const showUser = () => replace(place, panel("Sign in", reason, userFields(session), async ([tenant, email, password]) => {
    await session.signIn(tenant, email, password);
    done();
  }, ["Platform operator", showOperator]));
  const showOperator = () => replace(place, panel("Platform operator", null, [
    field("Operator's key", input({ type: "password", name: "key", autocomplete: "off" })),
  ], async ([key]) => {
    await session.signInAsOperator(key);
    done();
  }, ["Sign in to a tenant", showUser]));
  showUser();
  return h("main", { class: "sign-in-page", id: "main" }, place);
}

function userFields(session) {
  return [
    field("Tenant", input({ name: "tenant", value: session.lastTenant, autocomplete: "organization" }),
      { hint: "The tenant's id. Leave it empty where the address names the tenant." }),
    field("E-mail", input({ name: "email", type: "email", autocomplete: "username" })),
    field("Password", input({ name: "password", type: "password", autocomplete: "current-password" })),
  ];
}

function panel(title, reason, fields, submit, [otherLabel, other]) {
  const trouble = h("div");
  setTimeout(() => fields.find((entry) => !entry.control.value)?.control.focus());
  const enter = button("Sign in", { kind: "primary", type: "submit" });
  return h("form", {
    class: "panel form", novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      replace(trouble);
      for (const entry of fields) entry.showError(null);
      enter.disabled = true;
      try {
        // A password may begin or end with a blank.
        await submit(fields.map(({ control }) => (control.name === "password" ? control.value : control.value.trim())));
      } catch (error) {
        showProblem(error, fields, trouble);
      } finally {
        enter.disabled = false;
      }
    },
  }, h("span", { class: "brand-mark", "aria-hidden": "true" }), h("h1", {}, title), reason && h("p", { class: "note" }, reason),
  fields, trouble, enter, button(otherLabel, { kind: "quiet", onclick: other }));
}

/** Over the page when a session has ended in the middle of work: nothing that was typed is lost. */
export function signInDialog(session) {
  if (document.querySelector("dialog[data-sign-in]")) return;
  const email = field("E-mail", input({ name: "email", type: "email", value: session.me?.email ?? "", readonly: true }));
  const password = field("Password", input({ name: "password", type: "password", autocomplete: "current-password" }));
  formDialog({
    title: "Sign in again", note: "The session has ended. What you typed is still here.",
    fields: [email, password], submitLabel: "Sign in",
    submit: () => session.signIn(session.me?.tenant?.id ?? session.lastTenant, email.control.value.trim(), password.control.value),
  });
  document.querySelector("dialog:last-of-type")?.setAttribute("data-sign-in", "");
}
