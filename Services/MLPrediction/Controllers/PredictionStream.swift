import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit
import ServiceStorage

/// Many questions as lines of JSON, answered line by line as they are worked off, a hundred together. A line that is no good is
/// answered as such and stops no other.
struct PredictionStream: Sendable {
    static let mostLines = 10_000
    static let mostBytes = 16 << 20
    private static let chunk = PredictionBatchRequest.maximumCount
    /// Questions under keys of their own that are asked at once.
    private static let atOnce = 32

    /// What a line of the answer says.
    struct Line: Codable, Sendable {
        /// Of the question as it was sent, from 1; blank lines count.
        let line: Int
        let prediction: Prediction?
        /// Why there is none.
        var code: ErrorCode?
        var error: String?
        var errors: [FieldError]?
    }

    /// The last line of a whole answer.
    struct End: Codable, Sendable {
        struct Figures: Codable, Sendable {
            let lines: Int
            let answered: Int
        }

        let end: Figures
    }

    let service: PredictionService
    let call: TenantCall
    private let lines: [ArraySlice<UInt8>]
    /// Of each line, among all that were sent.
    private let numbers: [Int]
    /// Of each line, where the client gave one: which lines are good may change until they are sent again, so that each line is
    /// answered once for itself.
    private let keys: [IdempotencyKey]

    /// - Throws: `ProblemError`: 408, 413, 415, 422.
    init(_ call: TenantCall, service: PredictionService) async throws {
        _ = try call.request.uploadType(of: ["application/x-ndjson", "application/ndjson"])
        self.service = service
        self.call = call
        let bytes = try await call.request.bodyBytes(upTo: Self.mostBytes, within: .seconds(120))
        let sent = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let numbered = zip(1..., sent).filter { !$1.allSatisfy { $0 == 0x20 || $0 == 0x0d } }
        let lines = numbered.map(\.1)
        guard (1...Self.mostLines).contains(lines.count) else {
            throw ProblemError.validation("", "must have 1 to \(Self.mostLines) lines, a question on each")
        }
        self.lines = lines
        numbers = numbered.map(\.0)
        keys = try lines.enumerated().compactMap { place, line in
            try call.idempotencyKey(for: String(decoding: line, as: UTF8.self)).map {
                // A blank is in no client's key.
                IdempotencyKey(subject: $0.subject, key: "\($0.key) \(place)", requestSHA256: $0.requestSHA256)
            }
        }
    }

    func write(to writer: inout some ResponseBodyWriter) async throws {
        var answered = 0
        for first in stride(from: 0, to: lines.count, by: Self.chunk) {
            let part = first..<min(first + Self.chunk, lines.count)
            let answers = keys.isEmpty ? await answer(part) : await answerOnce(part)
            answered += answers.count { $0.prediction != nil }
            var bytes: [UInt8] = []
            for answer in answers { try answer.write(to: &bytes) }
            try await writer.write(ByteBuffer(bytes: bytes))
        }
        let end = End(end: .init(lines: lines.count, answered: answered))
        try await writer.write(ByteBuffer(bytes: try WireJSON.encode(end) + [UInt8(ascii: "\n")]))
        try await writer.finish(nil)
    }

    private func answerOnce(_ part: Range<Int>) async -> [Line] {
        var answers: [Line] = []
        for first in stride(from: part.lowerBound, to: part.upperBound, by: Self.atOnce) {
            let group = first..<min(first + Self.atOnce, part.upperBound)
            answers += await withTaskGroup(of: Line.self) { tasks in
                for line in group { tasks.addTask { await answerOnce(line) } }
                return await tasks.reduce(into: []) { $0.append($1) }
            }
        }
        return answers.sorted { $0.line < $1.line }
    }

    private func answerOnce(_ line: Int) async -> Line {
        do {
            let request = try StrictJSON.decode(PredictionRequest.self, from: lines[line])
            let predictions = try await service.predict([request], paths: [""], for: call.caller, key: keys[line])
            return Line(line: numbers[line], prediction: predictions[0])
        } catch {
            return Line(numbers[line], ProblemError(mapping: error))
        }
    }

    private func answer(_ part: Range<Int>) async -> [Line] {
        var answers: [Int: Line] = [:]
        var requests: [(line: Int, request: PredictionRequest)] = []
        func note(_ error: any Error, _ line: Int) { answers[line] = Line(numbers[line], ProblemError(mapping: error)) }
        for line in part {
            do {
                requests.append((line, try StrictJSON.decode(PredictionRequest.self, from: lines[line])))
            } catch {
                note(error, line)
            }
        }
        for isLast in [false, true] where !requests.isEmpty {
            do {
                let predictions = try await service.predict(
                    requests.map(\.request), paths: requests.map { _ in "" }, for: call.caller, key: nil)
                for (asked, prediction) in zip(requests, predictions) {
                    answers[asked.line] = Line(line: numbers[asked.line], prediction: prediction)
                }
                break
            } catch let problem as ProblemError where problem.status == .unprocessableContent && !isLast {
                // One or the other is no good; the others are asked once more.
                var good: [(line: Int, request: PredictionRequest)] = []
                for asked in requests {
                    do {
                        try await service.check([asked.request], paths: [""], for: call.caller)
                        good.append(asked)
                    } catch {
                        note(error, asked.line)
                    }
                }
                requests = good
            } catch {
                for asked in requests { note(error, asked.line) }
            }
        }
        return part.compactMap { answers[$0] }
    }
}

extension PredictionStream.Line {
    init(_ line: Int, _ problem: ProblemError) {
        self.init(
            line: line, prediction: nil, code: problem.code, error: problem.sentence,
            errors: problem.errors.isEmpty ? nil : problem.errors)
    }

    /// Appends the bytes that `WireJSON` gives, and a newline.
    fileprivate func write(to bytes: inout [UInt8]) throws {
        if let prediction {
            bytes += Array("{\"line\":\(line),\"prediction\":".utf8)
            try prediction.write(to: &bytes)
            bytes[bytes.count - 1] = UInt8(ascii: "}")
        } else {
            bytes += try WireJSON.encode(self)
        }
        bytes.append(UInt8(ascii: "\n"))
    }
}
