import Contracts
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit

/// Many questions as lines of JSON, answered line by line while they come, a hundred together or what there is when the sender pauses.
/// A line that is no good is answered as such and stops no other.
struct PredictionStream: Sendable {
    /// What a line of the answer says.
    struct Line: Codable, Sendable {
        /// Of the question as it was sent, from 1; blank lines count.
        let line: Int
        /// Why there is no prediction.
        let code: ErrorCode
        let error: String
        let errors: [FieldError]?
    }

    /// The last line of a whole answer.
    struct End: Codable, Sendable {
        struct Figures: Codable, Sendable {
            let lines: Int
            let answered: Int
        }

        let end: Figures
    }

    private let answering: LineAnswers
    private let lines: SentLines
    private let first: [LineAnswers.Answer]

    /// Answers the first lines.
    /// - Throws: `ProblemError`: 400, 408, 413, 415, 422; 503 where the node can answer none of the first lines.
    init(_ call: TenantCall, service: PredictionService) async throws {
        _ = try call.request.uploadType(of: ["application/x-ndjson", "application/ndjson"])
        let limits = SentLines.Limits()
        if let length = call.request.headers[.contentLength].flatMap({ Int($0) }), length > limits.bytes {
            throw ProblemError.payloadTooLarge(limit: limits.bytes)
        }
        answering = try LineAnswers(service: service, call: call)
        try service.admission.requireRoom()
        lines = SentLines(call.request.body, limits: limits)
        do {
            let sent = try await lines.take()
            first = await answering.answers(to: sent)
            if let refusal = LineAnswers.refusal(first) { throw refusal }
        } catch {
            await lines.abandon()
            throw error
        }
        call.context.record.readsBodyWhileAnswering()
    }

    func write(to writer: inout some ResponseBodyWriter) async throws {
        do {
            try await writeAnswers(to: &writer)
        } catch {
            await lines.abandon()
            throw error
        }
        await lines.abandon()
        try await writer.finish(nil)
    }

    private func writeAnswers(to writer: inout some ResponseBodyWriter) async throws {
        var (count, answered) = (0, 0)
        var part = first
        while !part.isEmpty {
            var bytes: [UInt8] = []
            for answer in part { try answer.write(to: &bytes) }
            try await writer.write(ByteBuffer(bytes: bytes))
            count += part.count
            answered += part.count { $0.isPrediction }
            do {
                let sent = try await lines.take()
                part = await answering.answers(to: sent)
            } catch let problem as ProblemError {
                // Without a line for the end: what comes after this line is not answered.
                let line = Line(await lines.next, problem)
                return try await writer.write(ByteBuffer(bytes: try WireJSON.encode(line) + [UInt8(ascii: "\n")]))
            }
        }
        let end = End(end: .init(lines: count, answered: answered))
        try await writer.write(ByteBuffer(bytes: try WireJSON.encode(end) + [UInt8(ascii: "\n")]))
    }
}

extension PredictionStream.Line {
    init(_ line: Int, _ problem: ProblemError) {
        self.init(
            line: line, code: problem.code, error: problem.sentence,
            errors: problem.errors.isEmpty ? nil : problem.errors)
    }
}
