import Contracts
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit

/// 200: one prediction, or the list of a batch's, as `OK` answers them.
struct PredictionAnswer<Payload: Codable & Sendable>: RouteAnswer {
    private let body: ByteBuffer

    static var description: AnswerDescription { OK<Payload>.description }

    func response(to request: Request) -> Response {
        Response(status: .ok, headers: [.contentType: "application/json"], body: .inPieces(body))
    }

    private init(json parts: [[UInt8]], between start: StaticString, and end: StaticString) {
        var body = ByteBuffer()
        body.reserveCapacity(parts.reduce(64) { $0 + $1.count + 1 })
        body.writeStaticString(start)
        for (place, part) in parts.enumerated() {
            if place > 0 { body.writeStaticString(",") }
            body.writeBytes(part)
        }
        body.writeStaticString(end)
        self.body = body
    }
}

extension PredictionAnswer<Prediction> {
    init(_ prediction: Prediction) throws {
        self.init(json: [try prediction.wireBytes()], between: #"{"data":"#, and: #","success":true}"#)
    }
}

extension PredictionAnswer<[Prediction]> {
    /// - Parameter predictions: as `Prediction.wireBytes()` gives them.
    init(_ predictions: [[UInt8]]) {
        self.init(json: predictions, between: #"{"data":["#, and: #"],"success":true}"#)
    }
}
