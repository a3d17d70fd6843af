import Contracts
import Testing

@testable import ServiceKit

@Suite("Cursors")
struct RowCursorTests {
    struct Position: Codable, Equatable {
        let name: String
        let id: ProjectID
    }

    @Test("a cursor gives back the keys it was made from")
    func roundTrip() throws {
        let position = Position(name: "ünï/+", id: ProjectID())
        #expect(RowCursor.decode(from: try RowCursor.encode(position)) == position)
        #expect(RowCursor.decode(from: try RowCursor.encode(TextPosition("ünï"))) == TextPosition("ünï"))
    }

    @Test(
        "another list's cursor and an invented one are refused",
        arguments: ["", "%%%", "e30", "W10", "bnVsbA", "Zg=="])
    func refused(text: String) {
        #expect(RowCursor.decode(Position.self, from: text) == nil)
        #expect(RowCursor.decode(TextPosition.self, from: text) == nil)
    }

    @Test("keys that Postgres could not compare, and too many of them, are no position")
    func nul() throws {
        #expect(RowCursor.decode(TextPosition.self, from: try RowCursor.encode(PositionKeys(["a\0"]))) == nil)
        #expect(RowCursor.decode(TextPosition.self, from: try RowCursor.encode(PositionKeys(["a", "b"]))) == nil)
    }
}
