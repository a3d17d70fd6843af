/// `POST /internal/v1/purges`: the asking service has nothing of the tenant any more.
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
