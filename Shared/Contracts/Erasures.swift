/// `GET /internal/v1/erasures`, and `POST` once it is done: a person who was anonymised.
public struct Erasure: RequestPayload, Hashable {
    public let tenantId: TenantID
    public let employeeId: EmployeeID

    public init(tenantId: TenantID, employeeId: EmployeeID) {
        self.tenantId = tenantId
        self.employeeId = employeeId
    }

    public func validate(_ validation: inout Validation) {}

    /// What stands where the name was.
    public static let name = "Anonymised person"
}
