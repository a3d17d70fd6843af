import Basics
import Contracts
import HTTPClient
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceKit
import ServiceLifecycle

extension ForwardStage {
    /// A short answer is read to its end first, so that an upstream that breaks off still gives a clean 502. Longer answers and
    /// those of unknown length are streamed. When this node is being stopped, a stream of events is cut, and its reader continues
    /// at another node; an answer that ends gets the whole grace period.
    func response(
        _ answer: HTTPClientResponse, _ upstream: Upstream, _ node: String, _ upload: Upload,
        _ outgoing: Outgoing
    ) async throws -> Response {
        let status = HTTPResponse.Status(code: answer.status)
        let headers = rewrite.response(answer.headers) + (await outgoing.answered(answer))
        let hasBody = status.code != 204 && status.code != 304
        let length = hasBody ? answer["Content-Length"].flatMap { Int($0) } : 0
        if outgoing.isHead {
            answer.body.cancel()
            await upload.close()
            return Response(status: status, headers: headers, body: Self.noBody(length: hasBody ? length : nil))
        }
        if let length, length <= Self.collectedBytes {
            let bytes = try await withHangUpCancelling(outgoing.channel) { try await answer.collect(upTo: length) }
            guard hasBody else {
                await upload.close()
                return Response(status: status, headers: headers)
            }
            return Response(status: status, headers: headers, body: Self.body(bytes, upload))
        }
        // As long as the answer comes, whatever becomes of the client.
        let work = outgoing.record.work()
        let isEvents = headers[.contentType]?.lowercased().hasPrefix("text/event-stream") == true
        return Response(
            status: status, headers: headers,
            body: ResponseBody(contentLength: length) { writer in
                if let channel = outgoing.channel { HangUpWatch.observe(channel) { answer.body.cancel() } }
                let standing = outgoing.recheck.map { Standing(recheck: $0) }
                let watch = standing.map { standing in
                    Task { await standing.watch { outgoing.cut("the reader's access was revoked: \($0)", answer) } }
                }
                defer {
                    watch?.cancel()
                    work.end()
                }
                do {
                    try await withGracefulShutdownHandler {
                        for try await chunk in answer.body {
                            try await standing?.requireFresh()
                            try await writer.write(ByteBuffer(bytes: chunk))
                        }
                    } onGracefulShutdown: {
                        if isEvents { outgoing.cut("the gateway is being stopped", answer) }
                    }
                    await upload.close()
                    if let channel = outgoing.channel { HangUpWatch.ignore(channel) }
                    work.end()
                    try await writer.finish(nil)
                } catch {
                    answer.body.cancel()
                    await upload.close()
                    report(error, of: upstream, node, upload, outgoing)
                    throw error
                }
            })
    }

    /// What a HEAD gets: the length that a GET would have, and nothing.
    private static func noBody(length: Int?) -> ResponseBody {
        ResponseBody(contentLength: length) { writer in try await writer.finish(nil) }
    }

    /// The server reads on once the answer is written, so an upload that was cut short must have let go of the connection
    /// by then; not earlier, for the client may wait for the answer before it sends more.
    private static func body(_ bytes: [UInt8], _ upload: Upload) -> ResponseBody {
        let buffer = ByteBuffer(bytes: bytes)
        guard upload.isCut else { return ResponseBody(byteBuffer: buffer) }
        return ResponseBody(contentLength: bytes.count) { writer in
            try await writer.write(buffer)
            await upload.close()
            try await writer.finish(nil)
        }
    }

    private func report(
        _ error: any Error, of upstream: Upstream, _ node: String, _ upload: Upload, _ outgoing: Outgoing
    ) {
        guard let error = error as? HTTPClientError,
            error.isUpstreamsFault(isClientsTurn: upload.excuses(error, on: outgoing.match.route))
        else { return }
        upstream.failed(node, error.upstreamsFailure, of: outgoing.tenant)
        outgoing.logger.warning(
            "Upstream closed the connection during its response",
            metadata: [LogKey.upstream: "\(upstream.service.rawValue)", LogKey.error: "\(LogText.of(error))"])
    }
}

extension ForwardStage.Outgoing {
    fileprivate func cut(_ reason: String, _ answer: HTTPClientResponse) {
        logger.info("Response cut off", metadata: [LogKey.reason: "\(reason)"])
        answer.body.cancel()
    }
}

private func + (fields: HTTPFields, more: HTTPFields) -> HTTPFields {
    var all = fields
    all.append(contentsOf: more)
    return all
}
