import Forecasting
import NeuralNetwork
import Synchronization

/// A model's network, ready for many calls at once.
final class InferenceNetwork: Sendable {
    /// A predictor cannot be shared: a task that takes one out of the pool uses it alone until it is put back.
    private struct Workspace: @unchecked Sendable {
        let predictor: Predictor
    }

    private static let mostIdle = 16

    let inputs: Int
    let outputs: Int
    private let network: Network
    private let idle = Mutex<[Workspace]>([])

    init(_ network: Network) {
        self.network = network
        inputs = network.architecture.inputs
        outputs = network.architecture.outputs
    }

    /// For each row of `inputs` numbers `outputs` numbers, row by row.
    func outputs(of rows: [Float]) -> [Float] {
        let workspace = idle.withLock { $0.popLast() } ?? Workspace(predictor: Predictor(network))
        defer {
            idle.withLock { idle in
                if idle.count < Self.mostIdle { idle.append(workspace) }
            }
        }
        return workspace.predictor.predict(rows)
    }
}

/// Which of a model's networks is meant.
enum NetworkPart: String, CaseIterable, Sendable {
    /// That of questions with a plan where there is one, else that of questions without.
    case any = ""
    case withPlan = "_with_plan"
    case withoutPlan = "_without_plan"
}

/// All networks of one model.
struct InferenceNetworks: Sendable {
    private let networks: [NetworkPart: InferenceNetwork]

    init(_ model: ForecastModel) {
        var networks: [NetworkPart: InferenceNetwork] = [:]
        networks[.withPlan] = model.baseNetwork(withPlan: true).map(InferenceNetwork.init)
        networks[.withoutPlan] = model.baseNetwork(withPlan: false).map(InferenceNetwork.init)
        networks[.any] = networks[.withPlan] ?? networks[.withoutPlan]
        self.networks = networks
    }

    /// Each once.
    var all: [InferenceNetwork] { [networks[.withPlan], networks[.withoutPlan]].compactMap(\.self) }

    subscript(part: NetworkPart) -> InferenceNetwork? { networks[part] }
}
