import Testing

extension SystemTests {
    /// Tests beside each other on one platform, which takes a while to start: each has tenants of its own, and leaves the services as
    /// they are.
    @Suite(.onePlatform) struct OnOnePlatform {}
}

/// Runs a platform for the tests of a suite.
struct OnePlatform: SuiteTrait, TestScoping {
    @TaskLocal fileprivate static var running: Platform?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await Platform.withPlatform { platform in
            try await Self.$running.withValue(platform) { try await function() }
        }
    }
}

extension Trait where Self == OnePlatform {
    static var onePlatform: Self { Self() }
}

extension Platform {
    /// Lends the platform of ``OnePlatform``.
    static func withShared<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: (Platform) async throws -> R
    ) async throws -> R {
        let platform = try #require(OnePlatform.running, "the suite runs no platform")
        return try await platform.explaining { try await body(platform) }
    }
}
