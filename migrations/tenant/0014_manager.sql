-- The default role `manager` can do a manager's job (`DefaultRole.manager` in Contracts; a test compares the two).
UPDATE roles SET updated_at = now(), permissions = '[
    {"resource": "employees", "actions": ["read", "write", "update"]},
    {"resource": "departments", "actions": ["read", "write", "update", "delete"]},
    {"resource": "skills", "actions": ["read", "write", "update", "delete"]},
    {"resource": "calendars", "actions": ["read", "write", "update", "delete"]},
    {"resource": "leave", "actions": ["read", "write", "update", "delete"]},
    {"resource": "capacity", "actions": ["read", "write", "update", "delete"]},
    {"resource": "projects", "actions": ["read", "write", "update", "delete"]},
    {"resource": "allocations", "actions": ["read", "write", "update", "delete"]},
    {"resource": "imports", "actions": ["read", "write"]},
    {"resource": "settings", "actions": ["read"]},
    {"resource": "reports", "actions": ["read"]},
    {"resource": "ml", "actions": ["predict", "read", "feedback"]}
]' WHERE name = 'manager' AND is_builtin;
