import Contracts
import HTTPTypes
import ServiceKit
import ServiceStorage
import Testing

@Suite("Cursors")
struct RowCursorTests {
    struct Position: Codable, Equatable {
        let name: String
        let id: ProjectID
    }

    @Test("a cursor gives back the keys it was made from")
    func roundTrip() throws {
        let position = Position(name: "ünï/+", id: ProjectID())
        #expect(try RowCursor.decode(Position.self, from: try RowCursor.encode(position)) as Position == position)
        #expect(try RowCursor.decode(RowCursor.encode(["a", "b"]), count: 2) == ["a", "b"])
        #expect(try RowCursor.decode(Position.self, from: nil) as Position? == nil)
    }

    @Test(
        "what is no cursor of the list is 422 on the field cursor",
        arguments: ["", "%%%", "e30", "W10", "bnVsbA", "Zg=="])
    func refused(text: String) {
        let problem = #expect(throws: ProblemError.self) { try RowCursor.decode(Position.self, from: text) as Position }
        #expect(problem?.status == .unprocessableContent)
        #expect(problem?.errors.first?.field == "cursor")
        #expect(throws: ProblemError.self) { try RowCursor.decode(text, count: 2) }
    }

    @Test("keys that Postgres could not compare are refused")
    func nul() {
        #expect(throws: ProblemError.self) { try RowCursor.decode(RowCursor.encode(["a\0", "b"]), count: 2) }
    }
}
