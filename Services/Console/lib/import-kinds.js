// Generated from the fields that imports go by; Tests/TenantAdminTests/ImportFormatTests.swift says how.

/** The kinds of the import format with their columns, in the order in which they refer to each other. */
export const KINDS = {
  departments: ["name", "description"],
  skills: ["name", "category", "aliases"],
  calendars: ["name", "is_default"],
  holidays: ["calendar", "date", "name", "minutes_off"],
  employees: ["external_id", "name", "email", "department", "weekly_capacity_hours", "effective_from", "hired_on", "left_on", "inactive_from", "is_active"],
  employment: ["employee_external_id", "first_day", "last_day"],
  contracts: ["employee_external_id", "effective_from", "weekly_capacity_hours", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "calendar"],
  leave: ["external_id", "employee_external_id", "first_day", "last_day", "minutes_per_day", "kind", "status"],
  employee_skills: ["employee_external_id", "skill", "level", "since"],
  projects: ["external_id", "name", "status", "completion_percentage", "start_date", "estimated_end_date", "end_date", "required_skills"],
  allocations: ["external_id", "employee_external_id", "project_external_id", "allocation_percentage", "allocated_hours", "hours_per_day", "actual_hours", "required_skills", "start_date", "end_date", "completed_at", "created_at", "labels", "planned_hours", "commitment", "title", "cancelled_at", "history"],
  capacity_history: ["employee_external_id", "date", "utilization_rate"],
  allocation_versions: ["external_id", "valid_from", "valid_until", "employee_external_id", "project_external_id", "allocation_percentage", "allocated_hours", "hours_per_day", "required_skills", "start_date", "end_date", "labels", "commitment", "is_cancelled", "title"],
  project_versions: ["external_id", "valid_from", "valid_until", "status", "completion_percentage", "start_date", "estimated_end_date", "end_date", "required_skills"],
};
