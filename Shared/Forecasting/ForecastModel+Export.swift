import NeuralNetwork

extension ForecastModel {
    /// A network part as an ONNX model (opset 13, IR version 7), for use outside this platform; nil for a model without it.
    ///
    /// `input` is a float matrix of the five base features as of the decision, in the order and units of
    /// docs/architecture.md#what-is-learned
    /// (allocation ÷ 100, hours ÷ 40, skills ÷ 10, performance ÷ 100, completion ÷ 100); `output` has the optimal
    /// allocation, hours ÷ 40 and success, each in 0…1. Equal models give equal bytes.
    /// - Parameter withPlan: as of ``baseNetwork(withPlan:)``.
    public func onnx(withPlan: Bool? = nil) throws -> [UInt8]? {
        try baseNetwork(withPlan: withPlan)?.onnx(name: "base_network")
    }
}
