// The Open Inference Protocol, version 2, over HTTP, with its binary tensor data extension. Names on the wire are the protocol's, and
// fields of requests that are not known here are ignored, as its other servers do.

/// `GET /v2/health/live`
public struct InferenceServerLive: Codable, Sendable, Equatable {
    public let live: Bool
    public init(live: Bool) { self.live = live }
}

/// `GET /v2/health/ready`
public struct InferenceServerReady: Codable, Sendable, Equatable {
    public let ready: Bool
    public init(ready: Bool) { self.ready = ready }
}

/// `GET /v2`
public struct InferenceServerMetadata: Codable, Sendable, Equatable {
    public let name: String
    public let version: String
    public let extensions: [String]

    public init(name: String, version: String, extensions: [String]) {
        self.name = name
        self.version = version
        self.extensions = extensions
    }
}

/// `GET /v2/models`: the names of the models that there are, as KServe has it.
public struct InferenceModelList: Codable, Sendable, Equatable {
    public let models: [String]
    public init(models: [String]) { self.models = models }
}

/// What a model takes or gives.
public struct InferenceTensorMetadata: Codable, Sendable, Equatable {
    public let name: String
    /// `FP32`
    public let datatype: String
    /// -1 for any number.
    public let shape: [Int]

    public init(name: String, datatype: String, shape: [Int]) {
        self.name = name
        self.datatype = datatype
        self.shape = shape
    }
}

/// `GET /v2/models/{model}`
public struct InferenceModelMetadata: Codable, Sendable, Equatable {
    public let name: String
    /// Those that answer.
    public let versions: [String]
    public let platform: String
    public let inputs: [InferenceTensorMetadata]
    public let outputs: [InferenceTensorMetadata]

    public init(
        name: String, versions: [String], platform: String, inputs: [InferenceTensorMetadata],
        outputs: [InferenceTensorMetadata]
    ) {
        self.name = name
        self.versions = versions
        self.platform = platform
        self.inputs = inputs
        self.outputs = outputs
    }
}

/// `GET /v2/models/{model}/ready`
public struct InferenceModelReady: Codable, Sendable, Equatable {
    public let name: String
    public let ready: Bool

    public init(name: String, ready: Bool) {
        self.name = name
        self.ready = ready
    }
}

/// `GET /v2/models/{model}/config`, as Triton's model configuration extension has it.
public struct InferenceModelConfiguration: Codable, Sendable, Equatable {
    public struct Tensor: Codable, Sendable, Equatable {
        public let name: String
        public let dataType: String
        /// Without the rows.
        public let dims: [Int]

        private enum CodingKeys: String, CodingKey {
            case name
            case dataType = "data_type"
            case dims
        }

        public init(name: String, dataType: String, dims: [Int]) {
            self.name = name
            self.dataType = dataType
            self.dims = dims
        }
    }

    public let name: String
    public let platform: String
    public let backend: String
    /// Rows of one request.
    public let maxBatchSize: Int
    public let input: [Tensor]
    public let output: [Tensor]

    private enum CodingKeys: String, CodingKey {
        case name, platform, backend, input, output
        case maxBatchSize = "max_batch_size"
    }

    public init(
        name: String, platform: String, backend: String, maxBatchSize: Int, input: [Tensor], output: [Tensor]
    ) {
        self.name = name
        self.platform = platform
        self.backend = backend
        self.maxBatchSize = maxBatchSize
        self.input = input
        self.output = output
    }
}

/// `POST /v2/repository/index`. The body may be left out.
public struct InferenceIndexRequest: RequestPayload {
    public static var ignoresUnknownFields: Bool { true }

    /// Only models that answer.
    public let ready: Bool?

    public func validate(_ validation: inout Validation) {}
}

/// One version of one model in `POST /v2/repository/index`.
public struct InferenceIndexEntry: Codable, Sendable, Equatable {
    public let name: String
    public let version: String
    /// `READY` or `UNAVAILABLE`.
    public let state: String
    /// Why it does not answer; empty when it does.
    public let reason: String

    public init(name: String, version: String, state: String, reason: String) {
        self.name = name
        self.version = version
        self.state = state
        self.reason = reason
    }
}

/// `POST /v2/models/{model}/infer`: the JSON of a request. With the header `Inference-Header-Content-Length` binary tensor data
/// follow it, in the order of the inputs that have a `binary_data_size`.
public struct InferenceRequest: RequestPayload {
    public static var ignoresUnknownFields: Bool { true }

    /// The path's, as clients repeat it; nil or empty where they do not.
    public let modelName: String?
    /// The one that answers; nil or empty where the client does not say.
    public let modelVersion: String?
    /// Given back with the answer.
    public let id: String?
    /// `binary_data_output`: whether outputs come as binary data where they do not say so themselves.
    public let parameters: [String: JSONValue]?
    public let inputs: [InferenceInput]
    /// nil or empty for all.
    public let outputs: [InferenceRequestedOutput]?

    private enum CodingKeys: String, CodingKey {
        case id, parameters, inputs, outputs
        case modelName = "model_name"
        case modelVersion = "model_version"
    }

    public init(
        modelName: String? = nil, modelVersion: String? = nil, id: String? = nil,
        parameters: [String: JSONValue]? = nil, inputs: [InferenceInput], outputs: [InferenceRequestedOutput]? = nil
    ) {
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.id = id
        self.parameters = parameters
        self.inputs = inputs
        self.outputs = outputs
    }

    public func validate(_ validation: inout Validation) {
        validation.length(modelName, 0...500, "model_name")
        validation.length(modelVersion, 0...500, "model_version")
        validation.length(id, 0...500, "id")
        _ = validation.count(inputs.count, 1...16, "inputs")
        _ = validation.count(outputs?.count, 0...16, "outputs")
        for (index, input) in inputs.prefix(16).enumerated() {
            validation.text(input.name, "inputs[\(index)].name")
            validation.oneOf(input.datatype, InferenceInput.datatypes, "inputs[\(index)].datatype")
            _ = validation.count(input.shape.count, 1...8, "inputs[\(index)].shape")
        }
    }
}

public struct InferenceInput: Codable, Sendable, Equatable {
    public let name: String
    public let shape: [Int]
    public let datatype: String
    /// `binary_data_size`: bytes of this input behind the JSON.
    public let parameters: [String: JSONValue]?
    /// Row by row, nested or flat; nil for binary data.
    public let data: JSONValue?

    /// All of the protocol's.
    public static let datatypes = [
        "FP32", "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP64",
        "BYTES",
        "BF16",
    ]

    public init(
        name: String, shape: [Int], datatype: String, parameters: [String: JSONValue]? = nil, data: JSONValue? = nil
    ) {
        self.name = name
        self.shape = shape
        self.datatype = datatype
        self.parameters = parameters
        self.data = data
    }
}

public struct InferenceRequestedOutput: Codable, Sendable, Equatable {
    public let name: String
    /// `binary_data`: whether this output comes as binary data.
    public let parameters: [String: JSONValue]?

    public init(name: String, parameters: [String: JSONValue]? = nil) {
        self.name = name
        self.parameters = parameters
    }
}

/// The JSON of an answer; the data of outputs with a `binary_data_size` follow it.
public struct InferenceResponse: Codable, Sendable, Equatable {
    public let modelName: String
    public let modelVersion: String
    public let id: String?
    public let outputs: [InferenceOutput]

    private enum CodingKeys: String, CodingKey {
        case id, outputs
        case modelName = "model_name"
        case modelVersion = "model_version"
    }

    public init(modelName: String, modelVersion: String, id: String?, outputs: [InferenceOutput]) {
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.id = id
        self.outputs = outputs
    }
}

public struct InferenceOutput: Codable, Sendable, Equatable {
    public struct Parameters: Codable, Sendable, Equatable {
        public let binaryDataSize: Int?

        private enum CodingKeys: String, CodingKey { case binaryDataSize = "binary_data_size" }

        public init(binaryDataSize: Int?) { self.binaryDataSize = binaryDataSize }
    }

    public let name: String
    public let datatype: String
    public let shape: [Int]
    public let parameters: Parameters?
    /// Row by row, flat; nil for binary data.
    public let data: [Float]?

    public init(name: String, datatype: String, shape: [Int], parameters: Parameters? = nil, data: [Float]? = nil) {
        self.name = name
        self.datatype = datatype
        self.shape = shape
        self.parameters = parameters
        self.data = data
    }
}

/// A version of a tenant's model that can answer: internal, ml-prediction asks ml-training at
/// `GET /internal/v1/tenants/{id}/models`.
public struct ServableModel: Codable, Sendable, Equatable {
    public let modelId: ModelID
    /// The registry's name of all its versions.
    public let name: String
    public let version: Int
    public let kind: String
    public let artifactSha256: String
    public let isDeployed: Bool

    public init(
        modelId: ModelID, name: String, version: Int, kind: String, artifactSha256: String, isDeployed: Bool
    ) {
        self.modelId = modelId
        self.name = name
        self.version = version
        self.kind = kind
        self.artifactSha256 = artifactSha256
        self.isDeployed = isDeployed
    }
}
