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

    private init(json: [UInt8]) {
        var body = ByteBuffer()
        body.reserveCapacity(json.count + 32)
        body.writeStaticString(#"{"data":"#)
        body.writeBytes(json)
        body.writeStaticString(#","success":true}"#)
        self.body = body
    }
}

extension PredictionAnswer<Prediction> {
    init(_ prediction: Prediction) throws { self.init(json: try prediction.wireBytes()) }
}

extension PredictionAnswer<[Prediction]> {
    init(_ predictions: [Prediction]) throws { self.init(json: try predictions.wireBytes()) }
}
