import Contracts
import Foundation
import HTTPClient
import TestSupport
import Testing

extension SystemTests.OnOnePlatform {
    /// Clients that take their time.
    @Suite struct Dribbles {
        @Test("a dribbling upload holds back neither another tenant's imports nor predictions about what they bring")
        func upload() async throws {
            try await Platform.withShared { platform in
                let slow = try await platform.tenant("slow")
                let other = try await platform.tenant("other")
                try await SmallHistory().load(other)
                let project = try #require(
                    try await other.get("/projects?externalId=J1").data.items.first?["id"]?.stringValue)
                let (pieces, sender) = AsyncThrowingStream.makeStream(of: [UInt8].self)
                let id = UUID()
                let ended = Signal()
                let upload = Task {
                    defer { ended.set() }
                    return try await send(pieces, as: id, by: slow)
                }
                sender.yield(Array("name,category\n".utf8))
                let category = String(repeating: "x", count: 190)
                var rows = 0
                // Enough for the least rate, however slow the machine is.
                func dribble() {
                    for _ in 0..<50 {
                        rows += 1
                        sender.yield(Array("Skill \(rows),\(category)\n".utf8))
                    }
                }
                while try await slow.get("/imports/\(id)").data["status"]?.stringValue != "receiving" {
                    try #require(!ended.isSet, "the upload has ended before it was received")
                    dribble()
                    try await Task.sleep(for: .milliseconds(100))
                }
                for round in 1...10 {
                    dribble()
                    let imported = try await other.upload(.employees, "external_id,name\nN\(round),New \(round)\n")
                    #expect((200...201).contains(imported.status), "\(imported)")
                    let person = try #require(
                        try await other.get("/employees?externalId=N\(round)").data.items.first?["id"]?.stringValue)
                    let answer = try await other.post(
                        "/predictions",
                        #"{"employeeId": "\#(person)", "projectId": "\#(project)", "plannedHours": 10, "asOf": "\#(SmallHistory().asOf)"}"#
                    )
                    #expect((200...201).contains(answer.status), "\(answer)")
                }
                #expect(try await slow.get("/imports/\(id)").data["status"]?.stringValue == "receiving")
                sender.finish()
                let status = try await upload.value
                #expect(status == 201)
                #expect(try await slow.get("/imports/\(id)").data["inserted"]?.doubleValue == Double(rows))
            }
        }

        /// Sends a file piece by piece.
        /// - Returns: the status of the answer.
        private func send(
            _ pieces: AsyncThrowingStream<[UInt8], any Error>, as id: UUID, by client: Client
        ) async throws -> Int {
            let request = HTTPClientRequest(
                method: "POST", url: "\(client.platform.url)/api/v1/imports?kind=skills&id=\(id)",
                headers: [("Authorization", "Bearer \(client.bearer ?? "")"), ("Content-Type", "text/csv")],
                body: .stream(length: nil, pieces), deadline: .seconds(240))
            let response = try await client.platform.http.execute(request)
            _ = try await response.collect(upTo: 1 << 20)
            return response.status
        }
    }
}
