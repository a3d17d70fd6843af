import Foundation
import Postgres

/// A follower's position in a service's change feed: it has received all changes up to `number`.
///
/// The token was drawn at random with the number. After a restore, a fail-over or a disk rolled back, the feed has another token at
/// that number or none, so the old position is not recognised.
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

    /// nil for a text that is not a position.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int(parts[0]), number >= 0, let token = UUID(uuidString: String(parts[1]))
        else { return nil }
        self.init(number: number, token: token)
    }

    public var description: String { "\(number).\(token.uuidString.lowercased())" }
}
