// What permissions may speak of, and what they grant. A test compares the lists with the platform's own.

export const RESOURCES = ["employees", "projects", "allocations", "capacity", "departments", "skills", "calendars", "leave", "imports", "exports", "reports", "ml", "users", "roles", "settings", "audit", "usage", "api_keys", "self"];
export const ACTIONS = ["read", "write", "update", "delete", "predict", "feedback", "train", "deploy"];

/** Whether one of the permissions grants the action on the resource; `*` stands for every action or resource. */
export const grants = (permissions, action, resource) => permissions.some((grant) =>
  (grant.resource === "*" || grant.resource === resource) && (grant.actions.includes("*") || grant.actions.includes(action)));
