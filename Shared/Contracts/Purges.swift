/// `POST /internal/v1/purges`: the asking service has removed what it had of the tenant. It is asked again until it finds nothing long
/// after it has found something.
public struct PurgeConfirmation: RequestPayload, Equatable {
    public let tenantId: TenantID
    /// How many rows were removed.
    public let rows: Int

    public init(tenantId: TenantID, rows: Int) {
        self.tenantId = tenantId
        self.rows = rows
    }

    public func validate(_ validation: inout Validation) {
        validation.require(rows >= 0, "rows", "must not be negative")
    }
}
