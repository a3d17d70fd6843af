public import Contracts
public import Postgres

// The wire types that are also columns.

extension Identifier: PostgresEncodable, PostgresDecodable {
    /// A `uuid` column.
    public var postgresText: String? { description }

    public init(postgresText text: String) throws {
        guard let id = Self(text) else { throw UnreadableColumn(type: "Identifier") }
        self = id
    }
}

extension CivilDate: PostgresEncodable, PostgresDecodable {
    /// A `date` column.
    public var postgresText: String? { description }

    public init(postgresText text: String) throws {
        guard let date = CivilDate(text) else { throw UnreadableColumn(type: "CivilDate") }
        self = date
    }
}

extension Subdomain: PostgresEncodable, PostgresDecodable {}
extension Plan: PostgresEncodable, PostgresDecodable {}
extension LeaveStatus: PostgresEncodable, PostgresDecodable {}
extension PredictionVerdict: PostgresEncodable, PostgresDecodable {}
extension Overbooking: PostgresEncodable, PostgresDecodable {}
extension Commitment: PostgresEncodable, PostgresDecodable {}
extension ProjectStatus: PostgresEncodable, PostgresDecodable {}
extension InvitationStatus: PostgresEncodable, PostgresDecodable {}
extension MessageKind: PostgresEncodable, PostgresDecodable {}
extension DefaultRole: PostgresEncodable, PostgresDecodable {}
extension ImportKind: PostgresEncodable, PostgresDecodable {}
extension ImportStatus: PostgresEncodable, PostgresDecodable {}
extension ImportErrorPolicy: PostgresEncodable, PostgresDecodable {}
extension TrainingJobStatus: PostgresEncodable, PostgresDecodable {}
extension ModelStatus: PostgresEncodable, PostgresDecodable {}
extension ServingState: PostgresEncodable, PostgresDecodable {}
extension ModelShadow.State: PostgresEncodable, PostgresDecodable {}
extension ServiceName: PostgresEncodable, PostgresDecodable {}
extension ErrorCode: PostgresEncodable, PostgresDecodable {}
extension DriftAlarm.Kind: PostgresEncodable, PostgresDecodable {}
extension KnownSetting: PostgresEncodable, PostgresDecodable {}

/// A column that does not hold what its type says.
struct UnreadableColumn: Error, CustomStringConvertible {
    let type: String
    var description: String { "not a valid \(type)" }
}
