// Saved views of the board: names for addresses, kept in this browser for each tenant.

import { h, replace } from "../../lib/dom.js";
import { link } from "../../lib/router.js";
import { button, field, input } from "../../ui/controls.js";
import { formDialog } from "../../ui/dialog.js";

export function viewsButton({ session, router, seen }) {
  const place = `erm.views.${session.me.tenant.id}`;
  const read = () => {
    try { return JSON.parse(localStorage.getItem(place)) ?? []; } catch { return []; }
  };
  const write = (views) => localStorage.setItem(place, JSON.stringify(views));

  function open() {
    const list = h("div");
    const draw = () => {
      const views = read();
      replace(list, views.length === 0 ? h("p", { class: "note" }, "No view is saved yet. A view is the window, the zoom and the filters as you see them now.")
        : h("ul", { class: "plain-list" }, views.map((view) => h("li", {},
          h("a", { href: link("board", view.query), onclick: () => list.closest("dialog").close() }, view.name),
          button(`Remove ${view.name}`, { icon: "remove", iconOnly: true, kind: "quiet", onclick: () => { write(read().filter((one) => one.name !== view.name)); draw(); } })))));
    };
    draw();
    const name = field("Save what you see as", input({ name: "view", maxlength: 60 }));
    return formDialog({
      title: "Views", fields: [list, name], submitLabel: "Save the view",
      submit: () => {
        const text = name.control.value.trim();
        if (!text) throw Object.assign(new Error("A view needs a name."), { errors: [{ field: "view", message: "Say how the view is called." }] });
        // Without a day the view opens at the present one.
        const { from, booking, ...query } = seen();
        write([...read().filter((one) => one.name !== text), { name: text, query }]);
      },
    });
  }
  return button("Views", { onclick: open });
}
