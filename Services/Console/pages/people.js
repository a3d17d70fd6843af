// People: search by name, department, skill and level; each has a page.

import { debounce, h, replace } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { link } from "../lib/router.js";
import { badge, button, empty, field, input, pageHead, select } from "../ui/controls.js";
import { formDialog } from "../ui/dialog.js";
import { pagedTable } from "../ui/table.js";

/** At which level a skill is wanted, for a choice beside the skill. */
export const LEVELS_OF_SKILL = [["", "Any"], ...[1, 2, 3, 4, 5].map((level) => [String(level), level === 5 ? "5" : `${level} or more`])];

export default async function peoplePage({ api, session, router, query }) {
  const place = h("div");
  const departments = session.can("read", "departments") ? await api.all("/departments") : [];
  const skills = session.can("read", "skills") ? await api.all("/skills") : [];
  const name = field("Name", input({ type: "search", value: query.get("name") ?? "" }));
  const department = field("Department", select([["", "All"], ...departments.map((one) => [one.name, one.name])], query.get("department") ?? ""));
  const skill = field("Skill", select([["", "Any"], ...skills.map((one) => [one.name, one.name])], query.get("skill") ?? ""));
  const level = field("Level", select(LEVELS_OF_SKILL, query.get("level") ?? ""));
  const show = () => {
    const filter = { name: name.control.value.trim(), department: department.control.value, skill: skill.control.value, level: skill.control.value && level.control.value };
    router.note(filter);
    replace(place, pagedTable({
      api, path: "/employees", query: filter, label: "People", empty: empty("Nobody found", "Change the filter, add somebody, or import a file."),
      columns: [
        { title: "Name", cell: (person) => h("a", { href: link(`people/${person.id}`) }, person.name) },
        { title: "Id", cell: (person) => person.externalId },
        { title: "Department", cell: (person) => person.department ?? "–" },
        { title: "Week", kind: "number", cell: (person) => format.hours(person.weeklyCapacityHours) },
        { title: "State", cell: stateBadge },
        { title: "Skills", kind: "wide", cell: (person) => skillBadges(person.skills) },
      ],
    }));
  };
  name.control.addEventListener("input", debounce(show, 300));
  for (const one of [department, skill, level]) one.control.addEventListener("change", show);
  show();
  return [
    pageHead("People", { actions: [session.can("write", "employees") && button("Add somebody", { kind: "primary", icon: "plus", onclick: () => editPerson(api, null, (person) => router.go(`people/${person.id}`)) })] }),
    h("div", { class: "filters" }, name, department, skill, level), place,
  ];
}

export const skillBadges = (skills) => h("div", { class: "badges" }, skills.slice(0, 8).map((one) => badge(one.level ? `${one.skill} ${one.level}` : one.skill)), skills.length > 8 && badge(`+${skills.length - 8}`));

export function stateBadge(person) {
  if (person.isActive) return badge("active", "good");
  if (person.inactiveFrom) return badge("on hold", "warn");
  return badge(person.leftOn ? "left" : "not employed", "plain");
}

export async function editPerson(api, person, done, tag) {
  const value = (key) => person?.[key] ?? "";
  const fields = [
    field("Name", input({ name: "name", value: value("name") })),
    field("Id", input({ name: "externalId", value: value("externalId") }), { hint: "As other systems call the person" }),
    field("E-mail", input({ name: "email", type: "email", value: value("email") })),
    field("Department", input({ name: "department", value: value("department") })),
    field("Hours a week", input({ name: "weeklyCapacityHours", type: "number", min: 0, max: 168, step: "any", value: value("weeklyCapacityHours") }), { hint: person ? "A change holds from today on" : "Five equal days; contracts can say more" }),
    field("First day", input({ name: "hiredOn", type: "date", value: value("hiredOn") })),
    field("Last day worked", input({ name: "leftOn", type: "date", value: value("leftOn") })),
  ];
  await formDialog({
    title: person ? `Edit ${person.name}` : "Add somebody", fields: [fields[0], fields[1], fields[2], fields[3], fields[4], h("div", { class: "form-row" }, fields[5], fields[6])],
    submit: async (_, once) => {
      const body = {};
      for (const { control } of fields) {
        const text = control.value.trim();
        if (person && text === String(value(control.name))) continue;
        // Emptied is not left out: the server says where something must stand.
        if (text !== "" || person) body[control.name] = text === "" ? null : control.type === "number" ? Number(text) : text;
      }
      const { data, warnings } = person ? await api.patch(`/employees/${person.id}`, body, { tag }) : await api.post("/employees", body, { once: once(body) });
      done(data, warnings);
    },
  });
}
