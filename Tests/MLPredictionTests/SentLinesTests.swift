import Contracts
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit
import TestSupport
import Testing

@testable import MLPrediction

@Suite(.timeLimit(.minutes(5))) struct SentLinesTests {
    private func text(_ lines: [SentLines.Line]) -> [String] { lines.map { String(decoding: $0.bytes, as: UTF8.self) } }

    /// - Parameters:
    ///   - patience: over once this is set, and no sooner.
    ///   - take: gets what sends pieces.
    private func with(
        _ limits: SentLines.Limits = .init(), patience: Signal = Signal(),
        _ take: (SentLines, RequestBody.Source) async throws -> Void
    ) async throws {
        let (body, sender) = RequestBody.makeStream()
        let lines = SentLines(
            body, limits: limits,
            sleep: { duration in
                if duration <= limits.pause { try await Task.sleep(for: duration) } else { await patience.wait() }
            })
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await take(lines, sender)) } catch { outcome = .failure(error) }
        await lines.abandon()
        sender.finish()
        try outcome.get()
    }

    @Test("lines that have come are given when the sender pauses, under their numbers, however they are cut")
    func pauses() async throws {
        try await with { lines, sender in
            await sender.yield(ByteBuffer(string: "a\n\n \t\r\nb\nc"))
            let first = try await lines.take()
            await sender.yield(ByteBuffer(string: "d\ne"))
            let second = try await lines.take()
            sender.finish()
            let last = try await lines.take()
            let none = try await lines.take()

            #expect(text(first) == ["a", "b"] && first.map(\.number) == [1, 4] && first.map(\.place) == [0, 1])
            #expect(text(second) == ["cd"] && second.map(\.number) == [5])
            #expect(text(last) == ["e"] && last.map(\.place) == [3] && none.isEmpty)
        }
    }

    @Test("so many lines are given together, however many have come")
    func together() async throws {
        try await with(.init(together: 2)) { lines, sender in
            await sender.yield(ByteBuffer(string: "a\nb\nc\nd\ne"))
            sender.finish()
            var given: [[String]] = []
            while true {
                let taken = try await lines.take()
                if taken.isEmpty { break }
                given.append(text(taken))
            }

            #expect(given == [["a", "b"], ["c", "d"], ["e"]])
        }
    }

    @Test("what is too much ends the lines behind those that are good, and is told with its line")
    func tooMuch() async throws {
        for (limits, status) in [
            (SentLines.Limits(lines: 2), HTTPResponse.Status.unprocessableContent),
            (.init(bytes: 6), .contentTooLarge), (.init(patience: .seconds(3_600)), .requestTimeout),
        ] {
            let patience = Signal()
            try await with(limits, patience: patience) { lines, sender in
                await sender.yield(ByteBuffer(string: "a\n\nb\n"))
                let taken = try await lines.take()
                if status == .requestTimeout { patience.set() } else { await sender.yield(ByteBuffer(string: "c\nd")) }
                let error = await #expect(throws: ProblemError.self) { _ = try await lines.take() }
                let next = await lines.next

                #expect(text(taken) == ["a", "b"] && error?.status == status && next == 4)
            }
        }
    }

    @Test("a body without lines is refused")
    func none() async throws {
        try await with { lines, sender in
            await sender.yield(ByteBuffer(string: "\n \r\n"))
            sender.finish()
            let error = await #expect(throws: ProblemError.self) { _ = try await lines.take() }

            #expect(error?.status == .unprocessableContent)
        }
    }
}
