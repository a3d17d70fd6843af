public import Contracts
public import Foundation
public import Postgres

/// Where a list that shows the newest row first goes on: the `created_at` and `id` of the last row shown.
public struct NewestFirst<Entity>: Codable, Sendable {
    /// Microseconds since 1970, exactly as the database holds the time.
    public let createdAtMicroseconds: Int
    public let id: Identifier<Entity>

    public init(createdAt: Date, id: Identifier<Entity>) {
        createdAtMicroseconds = createdAt.microsecondsSince1970
        self.id = id
    }

    private enum CodingKeys: CodingKey { case createdAtMicroseconds, id }

    /// - Throws: `DecodingError` for a moment outside of the years 1 to 9999, which the database could not compare with:
    ///   a cursor is the client's word.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        createdAtMicroseconds = try container.decode(Int.self, forKey: .createdAtMicroseconds)
        id = try container.decode(Identifier<Entity>.self, forKey: .id)
        guard (-62_135_596_800_000_000...253_402_300_799_999_999).contains(createdAtMicroseconds) else {
            throw DecodingError.dataCorruptedError(
                forKey: .createdAtMicroseconds, in: container, debugDescription: "is out of range")
        }
    }

    /// Of the rows that follow, for `ORDER BY created_at DESC, id DESC`.
    public var condition: SQL {
        "(created_at, id) < (timestamptz 'epoch' + \(createdAtMicroseconds) * interval '1 microsecond', \(id))"
    }
}
