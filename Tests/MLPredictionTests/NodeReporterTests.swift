import Contracts
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

@Suite(.timeLimit(.minutes(5))) struct NodeReporterTests {
    @Test("a node goes on reporting while it loads a model that is waited for, and then says that it serves the model")
    func reportsWhileLoading() async throws {
        let source = ScriptedModels()
        let deployed = source.deploy(try await TrainedModel.artifact.value)
        let (asked, release) = source.holdArtifacts()
        let awaited = AwaitedDeployment(tenantId: TenantID(), modelId: deployed.modelId)
        let (reports, told) = AsyncStream.makeStream(of: PredictionNodeReport.self)
        let reporter = NodeReporter(
            models: DeployedModels(source: source, patience: .seconds(600)), name: "node:1",
            interval: .milliseconds(10), logger: PostgresCluster.quietLogger
        ) { report in
            told.yield(report)
            return [awaited]
        }
        let running = Task { try await reporter.run() }
        for await _ in asked { break }

        var seen = reports.makeAsyncIterator()
        for _ in 0..<5 {
            let report = await seen.next()
            #expect(report?.models.isEmpty == true)
        }
        release()
        var state: PredictionNodeReport.ModelState?
        while state == nil, let report = await seen.next() { state = report.models.first }
        running.cancel()
        _ = await running.result

        #expect(state?.modelId == deployed.modelId && state?.state == .serving)
        #expect(source.state.withLock { $0.artifactQuestions } == 1)
    }
}
