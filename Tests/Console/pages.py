"""Every page of the console for a tenant's administrator, by its fragment."""

PAGES = {
    "board": "Board", "ask": "Ask", "reports/utilization": "Reports", "reports/availability": "Reports",
    "reports/over-allocations": "Reports", "reports/orphans": "Reports", "people": "People", "projects": "Projects",
    "skills": "Skills and departments", "models": "Models", "import": "Import", "administration/users": "Administration",
    "administration/roles": "Administration", "administration/keys": "Administration",
    "administration/settings": "Administration", "administration/audit": "Administration",
    "administration/usage": "Administration",
}
