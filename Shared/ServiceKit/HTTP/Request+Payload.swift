import Basics
public import Contracts
import Foundation
import HTTPTypes
public import Hummingbird
import NIOCore
import Synchronization

extension Request {
    /// The JSON body, decoded and validated.
    ///
    /// - Parameter maximumBytes: nil for the service's limit.
    /// - Throws: ``ProblemError`` 400, 413, 415 or 422 (every bad field).
    public func payload<T: RequestPayload>(
        _ type: T.Type = T.self, context: ServiceRequestContext, maximumBytes: Int? = nil
    ) async throws -> T {
        try StrictJSON.decode(
            type,
            from: try await jsonBytes(
                upTo: maximumBytes ?? context.maxUploadSize, atLeast: context.bodyRate, in: context))
    }

    /// The same for a body that may be left out; nil when it is.
    public func optionalPayload<T: RequestPayload>(
        _ type: T.Type = T.self, context: ServiceRequestContext, maximumBytes: Int? = nil
    ) async throws -> T? {
        let bytes = try await optionalJSONBytes(
            upTo: maximumBytes ?? context.maxUploadSize, atLeast: context.bodyRate, in: context)
        return try bytes.map { try StrictJSON.decode(type, from: $0) }
    }

    /// The bytes of a JSON body, for a handler that decodes them elsewhere.
    /// - Throws: as ``bodyBytes(upTo:within:atLeast:in:)``; 400 for none, 415.
    public func jsonBytes(
        upTo limit: Int, atLeast rate: BodyRate? = nil, in context: ServiceRequestContext
    ) async throws -> [UInt8] {
        guard let bytes = try await optionalJSONBytes(upTo: limit, atLeast: rate, in: context) else {
            throw ProblemError.malformed("The body is empty; it must be a JSON object.")
        }
        return bytes
    }

    private func optionalJSONBytes(
        upTo limit: Int, atLeast rate: BodyRate?, in context: ServiceRequestContext
    ) async throws -> [UInt8]? {
        let bytes = try await bodyBytes(upTo: limit, atLeast: rate, in: context)
        if bytes.isEmpty { return nil }
        try requirePlain()
        try requireJSON()
        return bytes
    }

    /// How long a client may take to send a body that is read at once.
    public static let bodyPatience = Duration.seconds(30)

    /// The whole body.
    /// - Parameters:
    ///   - rate: how slowly it may come; nil: all the time may pass in silence.
    ///   - context: whose ``BodySpace`` it takes room of; nil: of none, for bodies that cannot be large.
    /// - Throws: ``ProblemError`` 413, before reading when `Content-Length` says so already; 408 when it does not arrive
    ///   in time or comes too slowly; 429 and 503 when too many bytes of bodies are held already.
    public func bodyBytes(
        upTo limit: Int, within patience: Duration = bodyPatience, atLeast rate: BodyRate? = nil,
        in context: ServiceRequestContext? = nil
    ) async throws -> [UInt8] {
        let length = headers[.contentLength].flatMap { Int($0) }
        if let length, length > limit { throw ProblemError.payloadTooLarge(limit: limit) }
        if length == 0 { return [] }
        let body = body
        let hold = context.flatMap { BodyHold($0) }
        let watch = PaceWatch(rate ?? BodyRate(bytesPerSecond: 0, grace: patience))
        let bytes = try await withTimeLimit(patience, sleep: { try await watch.wait(for: $0) }) {
            try await watch.bytes(of: body, upTo: limit, counting: hold)
        }
        guard let bytes else { throw ProblemError.requestTimeout() }
        return bytes
    }

    /// Of which media type a file is that is sent as the body.
    /// - Parameter types: those that are taken, the one to recommend first.
    /// - Throws: ``ProblemError`` 415 for any other, none, or a body with a content coding.
    public func uploadType(of types: [String]) throws -> String {
        try requirePlain()
        let type = (headers[.contentType] ?? "").prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        guard types.contains(type) else {
            throw ProblemError(
                status: .unsupportedMediaType, code: .unsupportedMediaType,
                "The body must be sent with Content-Type: \(types.joined(separator: " or ")).")
        }
        return type
    }

    /// What is compressed would be read as it stands.
    /// - Throws: ``ProblemError`` 415 for a body with a content coding.
    private func requirePlain() throws {
        let codings = headers[values: .contentEncoding].flatMap { $0.split(separator: ",") }
        guard codings.allSatisfy({ $0.trimmingCharacters(in: .whitespaces).lowercased() == "identity" }) else {
            throw ProblemError(
                status: .unsupportedMediaType, code: .unsupportedMediaType,
                "The body must be sent as it is, without Content-Encoding.")
        }
    }

    /// - Throws: ``ProblemError`` 415 unless the body is declared to be JSON in UTF-8.
    private func requireJSON() throws {
        let parts = (headers[.contentType] ?? "").split(separator: ";").map {
            $0.trimmingCharacters(in: .whitespaces).lowercased()
        }
        let charset = parts.dropFirst().first { $0.hasPrefix("charset=") }
        guard let type = parts.first, type == "application/json" || type == "application/merge-patch+json",
            charset == nil || charset == "charset=utf-8" || charset == "charset=\"utf-8\""
        else {
            throw ProblemError(
                status: .unsupportedMediaType, code: .unsupportedMediaType,
                "The body must be sent with Content-Type: application/json.")
        }
    }
}

/// Reads a body while its pace is watched.
private final class PaceWatch: Sendable {
    private let pace: Mutex<BodyPace>

    init(_ rate: BodyRate) { pace = Mutex(BodyPace(rate)) }

    /// - Throws: ``ProblemError`` 413, 429 or 503, and what is wrong with the client's input.
    func bytes(of body: RequestBody, upTo limit: Int, counting hold: BodyHold?) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        var pieces = body.makeAsyncIterator()
        while true {
            pace.withLock { $0.waits(since: .now) }
            let piece = try await pieces.next()
            pace.withLock { $0.received(piece?.readableBytes ?? 0, now: .now) }
            guard let piece else { return bytes }
            guard bytes.count + piece.readableBytes <= limit else {
                throw ProblemError.payloadTooLarge(limit: limit)
            }
            try hold?.take(piece.readableBytes)
            bytes.append(contentsOf: piece.readableBytesView)
        }
    }

    /// Returns after `patience`, or when the body comes too slowly.
    func wait(for patience: Duration) async throws {
        let end = ContinuousClock.now + patience
        while ContinuousClock.now < end, !pace.withLock({ $0.isTooSlow(now: .now) }) {
            let next = ContinuousClock.now + pace.withLock { $0.pause }
            try await Task.sleep(until: min(next, end), clock: .continuous)
        }
    }
}
