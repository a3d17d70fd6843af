// What the tenant uses, beside what its plan allows.

import { card } from "../../ui/controls.js";
import { usageView } from "../operator.js";

export async function usagePart({ api }) {
  return card("Usage", usageView((await api.get("/usage")).data));
}
