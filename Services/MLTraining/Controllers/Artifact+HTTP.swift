import Contracts
import Forecasting
import HTTPTypes
import Hummingbird
import ServiceKit

/// What a model can be downloaded as.
enum ArtifactFormat: String, CaseIterable {
    /// Everything needed to reproduce a prediction bit for bit.
    case bundle
    /// One network part alone, for other programs: of `withPlan`, else the first there is.
    case onnx
}

struct ArtifactQuery: RouteQuery {
    let format: ArtifactFormat
    let withPlan: Bool?

    init(_ query: inout QueryParameters) {
        format = query.choice("format", default: .bundle)
        withPlan = query.bool("withPlan")
        if format == .bundle, withPlan != nil {
            query.reject("withPlan", "is for onnx only; a bundle holds everything")
        }
    }
}

extension Artifact {
    /// A network part, with a digest of its own.
    /// - Throws: `ProblemError` 404 when the model has no such network, `ArtifactError` when the artefact is damaged.
    func onnx(withPlan: Bool?) async throws -> Artifact {
        let bundle = content
        // Decoding a large model is CPU work.
        let bytes = try await ComputeThread.run(named: "export") {
            try ForecastModel(decoding: bundle).onnx(withPlan: withPlan)
        }
        guard let bytes else { throw ProblemError.notFound("The model's network") }
        return Artifact(version: version, sha256: NewModel.digest(of: bytes), content: bytes)
    }
}

extension Artifact {
    /// - Parameter fileName: what a browser saves it as.
    func download(as fileName: String? = nil) -> Download<BinaryFile> {
        var headers: HTTPFields = [.eTag: "\"\(sha256)\""]
        if let fileName { headers[.contentDisposition] = "attachment; filename=\"\(fileName)\"" }
        return Download(
            BinaryFile.self, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: content)))
    }
}
