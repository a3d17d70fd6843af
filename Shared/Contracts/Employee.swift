// A person as the lists show one, and the bodies that make and change one.

public struct EmployeeSkill: Codable, Sendable, Equatable {
    public let skill: String
    /// 1…5; nil when unknown.
    public let level: Int?
    public let since: CivilDate?

    public init(skill: String, level: Int?, since: CivilDate?) {
        self.skill = skill
        self.level = level
        self.since = since
    }
}

public struct Employee: Codable, Sendable, Equatable {
    public let id: EmployeeID
    public let externalId: String
    public let name: String
    public let email: String?
    public let departmentId: DepartmentID?
    public let department: String?
    /// The sum over the week of the contract in force today, else of the first.
    public let weeklyCapacityHours: Double
    /// Whether the person is employed today and not on hold.
    public let isActive: Bool
    /// From when on no work is to be planned for the person (a hold); nil without one.
    public let inactiveFrom: CivilDate?
    /// The first and the last day worked of the latest employment; nil for since ever and until further notice.
    public let hiredOn: CivilDate?
    public let leftOn: CivilDate?
    public let skills: [EmployeeSkill]

    public init(
        id: EmployeeID, externalId: String, name: String, email: String?, departmentId: DepartmentID?,
        department: String?, weeklyCapacityHours: Double, isActive: Bool, inactiveFrom: CivilDate? = nil,
        hiredOn: CivilDate?, leftOn: CivilDate?, skills: [EmployeeSkill]
    ) {
        self.id = id
        self.externalId = externalId
        self.name = name
        self.email = email
        self.departmentId = departmentId
        self.department = department
        self.weeklyCapacityHours = weeklyCapacityHours
        self.isActive = isActive
        self.inactiveFrom = inactiveFrom
        self.hiredOn = hiredOn
        self.leftOn = leftOn
        self.skills = skills
    }
}

/// `POST /employees`.
public struct CreateEmployeeRequest: RequestPayload {
    public let externalId: String
    public let name: String
    public let email: String?
    /// A department's name; made if there is none of that name.
    public let department: String?
    /// 0…168, as five equal days; nil for the setting `default_capacity`, or 40.
    public let weeklyCapacityHours: Double?
    /// The first day of those weekly hours; nil for the first day of employment.
    public let effectiveFrom: CivilDate?
    public let hiredOn: CivilDate?
    public let leftOn: CivilDate?

    public func validate(_ validation: inout Validation) {
        validation.text(externalId, "externalId")
        validation.text(name, "name")
        validation.email(email, "email")
        validation.text(department, "department")
        validation.range(weeklyCapacityHours, 0...168, "weeklyCapacityHours")
        validation.order(hiredOn, leftOn, "leftOn", notBefore: "hiredOn")
    }
}

/// `PATCH /employees/{id}`. `hiredOn` and `leftOn` speak of the latest employment; a `hiredOn` after its end begins a new one.
public struct UpdateEmployeeRequest: RequestPayload {
    @NonNull public var externalId: String?
    @NonNull public var name: String?
    public let email: Patch<String>
    public let department: Patch<String>
    @NonNull public var weeklyCapacityHours: Double?
    /// The first day of the new `weeklyCapacityHours`; today when left out. The time before keeps its contract.
    public let effectiveFrom: CivilDate?
    /// false: no work is to be planned for the person from today on, or from `inactiveFrom` on; true: there is no such hold.
    @NonNull public var isActive: Bool?
    public let inactiveFrom: Patch<CivilDate>
    public let hiredOn: Patch<CivilDate>
    public let leftOn: Patch<CivilDate>

    public func validate(_ validation: inout Validation) {
        validation.text(externalId, "externalId")
        validation.text(name, "name")
        validation.email(email.newValue, "email")
        validation.text(department.newValue, "department")
        validation.range(weeklyCapacityHours, 0...168, "weeklyCapacityHours")
        validation.require(
            effectiveFrom == nil || weeklyCapacityHours != nil, "effectiveFrom", "needs weeklyCapacityHours beside it")
        validation.require(
            isActive != true || inactiveFrom.newValue == nil, "inactiveFrom", "contradicts isActive: true")
        validation.order(hiredOn.newValue, leftOn.newValue, "leftOn", notBefore: "hiredOn")
    }
}
