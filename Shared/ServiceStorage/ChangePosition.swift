import Foundation
import Postgres

/// Up to where somebody has heard of a service's changes: all up to `number`.
///
/// The token was drawn at random with the number: a history that went another way since, as after a restore, a fail-over or a disk
/// rolled back, has another token there or none, so the position is not recognised.
public struct ChangePosition: Sendable, Equatable, CustomStringConvertible {
    let number: Int
    let token: UUID

    init(number: Int, token: UUID) {
        self.number = number
        self.token = token
    }

    init(_ row: PostgresRow) throws {
        self.init(number: try row.decode("number"), token: try row.decode("token"))
    }

    /// nil for a text that is no position.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int(parts[0]), number >= 0, let token = UUID(uuidString: String(parts[1]))
        else { return nil }
        self.init(number: number, token: token)
    }

    public var description: String { "\(number).\(token.uuidString.lowercased())" }
}
