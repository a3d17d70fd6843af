"""Every page of the console for a tenant's administrator, by its fragment, with its title."""

PAGES = {
    "board": "Board", "board?zoom=day": "Board", "board?zoom=month": "Board", "board?rows=projects": "Board", "ask": "Ask",
    "reports/utilization": "Reports", "reports/actual": "Reports", "reports/availability": "Reports", "reports/over-allocations": "Reports",
    "reports/orphans": "Reports", "people": "People", "projects": "Projects", "skills": "Skills and departments",
    "models": "Models", "import": "Import", "administration/users": "Administration", "administration/roles": "Administration",
    "administration/keys": "Administration", "administration/settings": "Administration", "administration/audit": "Administration",
    "administration/usage": "Administration",
}


# For the platform's operator.
OPERATOR_PAGES = {"operator": "Tenants", "health": "Health"}


def details(first):
    """Pages about one thing. `first` gives the first item of a list of the API."""
    person, project = first("/employees?isActive=true"), first("/projects?status=in_progress")
    model, job = first("/models"), first("/training/jobs")
    return {
        f"people/{person['id']}": person["name"], f"projects/{project['id']}": project["name"],
        f"ask?person={person['id']}&project={project['id']}&hours=24": "Ask", f"models/{model['id']}": "Model", f"jobs/{job['id']}": "Training job",
    }
