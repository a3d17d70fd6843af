// Bodies that change departments, skills, and which skills an employee has.

/// `POST /departments`.
public struct CreateDepartmentRequest: RequestPayload {
    public let name: String
    public let description: String?

    public init(name: String, description: String? = nil) {
        self.name = name
        self.description = description
    }

    public func validate(_ validation: inout Validation) {
        validation.text(name, "name")
        validation.prose(description, "description", maximum: 2000)
    }
}

/// `PATCH /departments/{id}`.
public struct UpdateDepartmentRequest: RequestPayload {
    @NonNull public var name: String?
    public let description: Patch<String>

    public func validate(_ validation: inout Validation) {
        validation.text(name, "name")
        validation.prose(description.newValue, "description", maximum: 2000)
    }
}

/// `POST /skills`.
public struct CreateSkillRequest: RequestPayload {
    public let name: String
    public let category: String?
    /// Further words that find the skill.
    public let aliases: [String]?

    public init(name: String, category: String? = nil, aliases: [String]? = nil) {
        self.name = name
        self.category = category
        self.aliases = aliases
    }

    public func validate(_ validation: inout Validation) {
        validation.skill(name, "name")
        validation.text(category, "category")
        validation.skills(aliases, "aliases", maximumCount: 50)
    }
}

/// `PATCH /skills/{id}`. A new name shows at once everywhere: with people, projects and bookings. The old one stays as an alias,
/// unless `aliases` says otherwise.
public struct UpdateSkillRequest: RequestPayload {
    @NonNull public var name: String?
    public let category: Patch<String>
    /// Replaces the further words that find the skill.
    @NonNull public var aliases: [String]?

    public func validate(_ validation: inout Validation) {
        validation.skill(name, "name")
        validation.text(category.newValue, "category")
        validation.skills(aliases, "aliases", maximumCount: 50)
    }
}

/// `POST /skills/{id}/merge`: makes one skill of two.
public struct MergeSkillRequest: RequestPayload {
    /// The skill that stays.
    public let into: SkillID

    public init(into: SkillID) { self.into = into }

    public func validate(_ validation: inout Validation) {}
}

/// One entry of `GET /employees/{id}/skills`.
public struct SkillOfEmployee: Codable, Sendable, Equatable {
    public let skillId: SkillID
    public let skill: String
    /// 1…5; nil when unknown.
    public let level: Int?
    public let since: CivilDate?

    public init(skillId: SkillID, skill: String, level: Int?, since: CivilDate?) {
        self.skillId = skillId
        self.skill = skill
        self.level = level
        self.since = since
    }
}

/// `POST /employees/{id}/skills`, and one entry of ``PutEmployeeSkillsRequest``. A skill of that name is made if there is
/// none.
public struct EmployeeSkillRequest: RequestPayload {
    public let skill: String
    public let level: Int?
    public let since: CivilDate?

    public init(skill: String, level: Int? = nil, since: CivilDate? = nil) {
        self.skill = skill
        self.level = level
        self.since = since
    }

    public func validate(_ validation: inout Validation) { validate(&validation, under: "") }

    func validate(_ validation: inout Validation, under path: String) {
        validation.skill(skill, path + "skill")
        validation.range(level, 1...5, path + "level")
    }
}

/// `PUT /employees/{id}/skills`: what the employee can do from now on; what is not named goes.
public struct PutEmployeeSkillsRequest: RequestPayload {
    public let skills: [EmployeeSkillRequest]

    public init(skills: [EmployeeSkillRequest]) { self.skills = skills }

    public func validate(_ validation: inout Validation) {
        guard validation.count(skills.count, 0...500, "skills") else { return }
        var names: Set<String> = []
        for (index, entry) in skills.enumerated() {
            entry.validate(&validation, under: "skills[\(index)].")
            validation.require(names.insert(entry.skill.folded).inserted, "skills[\(index)].skill", "is a duplicate")
        }
    }
}

/// `PUT /employees/{id}/skills/{skillId}`: gives the skill or replaces what is known of it.
public struct PutEmployeeSkillRequest: RequestPayload {
    public let level: Int?
    public let since: CivilDate?

    public init(level: Int? = nil, since: CivilDate? = nil) {
        self.level = level
        self.since = since
    }

    public func validate(_ validation: inout Validation) { validation.range(level, 1...5, "level") }
}
