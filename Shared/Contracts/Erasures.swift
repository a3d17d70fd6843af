/// `GET /internal/v1/erasures`, and `POST` once it is done: a person of whom the asking service has something to remove.
public struct Erasure: RequestPayload, Hashable {
    public let tenantId: TenantID
    public let employeeId: EmployeeID
    /// Whether the person was deleted; nil for one who was anonymised, whose hours and history stay, and in what nodes of an earlier
    /// release confirm.
    public let isDeleted: Bool?

    public init(tenantId: TenantID, employeeId: EmployeeID, isDeleted: Bool = false) {
        self.tenantId = tenantId
        self.employeeId = employeeId
        self.isDeleted = isDeleted ? true : nil
    }

    public func validate(_ validation: inout Validation) {}

    /// What stands where the name was.
    public static let name = "Anonymised person"
}

/// `POST /employees/{id}/anonymise` and `POST /invitations/{id}/anonymise`: what became of the audit log's entries about the person.
public struct Anonymisation: Codable, Sendable, Equatable {
    /// Values that were taken out of them.
    public let erasedValues: Int
    /// Entries of earlier releases, whose text itself names the person. They stay as long as the tenant: without that text the chain would
    /// be broken.
    public let namingEntries: Int

    public init(erasedValues: Int, namingEntries: Int) {
        self.erasedValues = erasedValues
        self.namingEntries = namingEntries
    }
}
