import Contracts
import HTTPTypes
import ServiceKit
import ServiceStorage

/// Answers lines of questions, some together.
struct LineAnswers: Sendable {
    struct Answer: Sendable {
        /// The number of the line.
        let line: Int
        let result: Result<Prediction, ProblemError>

        var isPrediction: Bool { if case .success = result { true } else { false } }

        /// Appends the bytes that `WireJSON` gives, and a newline.
        func write(to bytes: inout [UInt8]) throws {
            switch result {
            case .success(let prediction):
                bytes += Array("{\"line\":\(line),\"prediction\":".utf8)
                try prediction.write(to: &bytes)
                bytes[bytes.count - 1] = UInt8(ascii: "}")
            case .failure(let problem):
                bytes += try WireJSON.encode(PredictionStream.Line(line, problem))
            }
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    /// Questions under keys of their own that are asked at once.
    private static let atOnce = 32

    private let service: PredictionService
    private let call: TenantCall
    /// Whether the client gave a key. Which lines are good may change until they are sent again, so that each is then answered once for
    /// itself.
    private let isKeyed: Bool

    /// - Throws: `ProblemError` 400 for a bad `Idempotency-Key`.
    init(service: PredictionService, call: TenantCall) throws {
        self.service = service
        self.call = call
        isKeyed = try call.idempotencyKey(for: "") != nil
    }

    /// In the order of the lines.
    func answers(to lines: [SentLines.Line]) async -> [Answer] {
        isKeyed ? await answersOnce(to: lines) : await answersTogether(to: lines)
    }

    /// Why the node answers none of the lines, where it cannot at the moment: it is asked for too much, or lacks the history.
    static func refusal(_ answers: [Answer]) -> ProblemError? {
        if answers.contains(where: \.isPrediction) { return nil }
        for answer in answers {
            if case .failure(let problem) = answer.result, problem.status == .serviceUnavailable { return problem }
        }
        return nil
    }

    /// Longer lines are read on a thread of their own: one may be as long as the body.
    private static let bytesAtOnce = 64 * 1024

    private func reading<Value: Sendable>(
        _ lines: [SentLines.Line], _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let isLong = lines.reduce(0) { $0 + $1.bytes.count } > Self.bytesAtOnce
        return try await service.gate.run(named: "lines", isLong: isLong, body)
    }

    private static func request(on line: SentLines.Line) throws -> PredictionRequest {
        try StrictJSON.decode(from: line.bytes)
    }

    private func key(of line: SentLines.Line) throws -> IdempotencyKey? {
        // A blank is in no client's key.
        try call.idempotencyKey(for: String(decoding: line.bytes, as: UTF8.self)).map {
            IdempotencyKey(subject: $0.subject, key: "\($0.key) \(line.place)", requestSHA256: $0.requestSHA256)
        }
    }

    private func answersOnce(to lines: [SentLines.Line]) async -> [Answer] {
        var answers: [Answer] = []
        for first in stride(from: 0, to: lines.count, by: Self.atOnce) {
            let group = lines[first..<min(first + Self.atOnce, lines.count)]
            answers += await withTaskGroup(of: Answer.self) { tasks in
                for line in group { tasks.addTask { await answerOnce(line) } }
                return await tasks.reduce(into: []) { $0.append($1) }
            }
        }
        return answers.sorted { $0.line < $1.line }
    }

    private func answerOnce(_ line: SentLines.Line) async -> Answer {
        do {
            let (request, key) = try await reading([line]) { try (Self.request(on: line), self.key(of: line)) }
            let predictions = try await service.predict([request], paths: [""], for: call.caller, key: key)
            return Answer(line: line.number, result: .success(predictions[0]))
        } catch {
            return Answer(line: line.number, result: .failure(ProblemError(mapping: error)))
        }
    }

    private func answersTogether(to lines: [SentLines.Line]) async -> [Answer] {
        var answers: [Answer] = []
        var asked: [(line: Int, request: PredictionRequest)] = []
        func refuse(_ line: Int, _ error: any Error) {
            answers.append(Answer(line: line, result: .failure(ProblemError(mapping: error))))
        }
        do {
            let requests = try await reading(lines) { lines.map { line in Result { try Self.request(on: line) } } }
            for (line, request) in zip(lines, requests) {
                switch request {
                case .success(let request): asked.append((line.number, request))
                case .failure(let error): refuse(line.number, error)
                }
            }
        } catch {
            for line in lines { refuse(line.number, error) }
        }
        for isLast in [false, true] where !asked.isEmpty {
            do {
                let predictions = try await service.predict(
                    asked.map(\.request), paths: asked.map { _ in "" }, for: call.caller, key: nil)
                answers += zip(asked, predictions).map { Answer(line: $0.line, result: .success($1)) }
                break
            } catch let problem as ProblemError where problem.status == .unprocessableContent && !isLast {
                // One or the other is no good; the others are asked once more.
                var good: [(line: Int, request: PredictionRequest)] = []
                for question in asked {
                    do {
                        try await service.check([question.request], paths: [""], for: call.caller)
                        good.append(question)
                    } catch {
                        refuse(question.line, error)
                    }
                }
                asked = good
            } catch {
                for question in asked { refuse(question.line, error) }
            }
        }
        return answers.sorted { $0.line < $1.line }
    }
}
