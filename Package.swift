// swift-tools-version: 6.2
import PackageDescription

// One language setting for the whole house: Swift 6 with complete checking, and no warning left standing.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

// Numeric code is optimised in debug builds too: a training test at -Onone would take minutes instead of seconds.
let numeric: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let collections = Target.Dependency.product(name: "Collections", package: "swift-collections")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")

/// A Swift library under Shared/.
func shared(_ name: String, _ dependencies: [Target.Dependency] = [], _ settings: [SwiftSetting] = strict) -> Target {
    .target(name: name, dependencies: dependencies, path: "Shared/\(name)", swiftSettings: settings)
}

/// A system C library under Shared/, imported by its one wrapper.
func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Shared/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// An executable under Services/, called `product` on disk.
func service(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Services/\(name)", swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests", exclude: exclude,
        swiftSettings: strict)
}

let package = Package(
    name: "erm",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "gateway", targets: ["Gateway"]),
        .executable(name: "tenant-admin", targets: ["TenantAdmin"]),
        .executable(name: "ml-training", targets: ["MLTraining"]),
        .executable(name: "ml-prediction", targets: ["MLPrediction"]),
        .executable(name: "ermctl", targets: ["Ermctl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["CommandLineArguments"]),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        system("CLibpq", pkgConfig: "libpq", apt: "libpq-dev"),
        system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        system("COpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev"),
        .target(
            name: "CKernels", path: "Shared/CKernels",
            cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-ffp-contract=off"])],
            linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),

        shared("Basics"),
        shared("Contracts", ["Basics"]),
        shared("Postgres", ["Basics", "CLibpq", logging, collections, crypto]),
        shared("HTTPClient", ["Basics", "CCurl", logging]),
        shared("NeuralNetwork", ["Basics", "CKernels"], numeric),
        shared("Forecasting", ["Basics", "NeuralNetwork", "CKernels"], numeric),
        shared("ServiceIdentity", ["Basics", "Contracts", "COpenSSL", crypto, jwt]),
        shared(
            "ServiceKit",
            [
                "Basics", "Contracts", "HTTPClient", "ServiceIdentity",
                hummingbird, lifecycle, configuration, logging, metrics,
            ]),
        shared("HistoryFeed", ["Basics", "Contracts", "Forecasting", crypto], numeric),
        shared(
            "ServiceStorage",
            ["Contracts", "Postgres", "ServiceKit", hummingbird, lifecycle, configuration, crypto, logging]),

        service(
            "Gateway",
            [
                "Basics", "Contracts", "ServiceKit", "ServiceIdentity", "ServiceStorage", "HTTPClient", "Postgres",
                yams,
                hummingbird,
                jwt, crypto, lifecycle, logging,
            ]),
        service(
            "TenantAdmin",
            [
                "Basics", "Contracts", "ServiceKit", "ServiceIdentity", "ServiceStorage", "HTTPClient", "Postgres",
                hummingbird,
                crypto,
            ]),
        service(
            "MLTraining",
            [
                "Basics", "Contracts", "ServiceKit", "ServiceStorage", "HTTPClient", "Postgres", "Forecasting",
                "HistoryFeed",
                hummingbird, crypto,
            ]),
        service(
            "MLPrediction",
            [
                "Basics", "Contracts", "ServiceKit", "ServiceStorage", "HTTPClient", "Postgres", "Forecasting",
                "HistoryFeed",
                hummingbird, crypto,
            ]),
        service(
            "Ermctl",
            [
                "Basics", "Contracts", "HTTPClient", "Forecasting", "HistoryFeed", "NeuralNetwork", "ServiceIdentity",
                arguments,
            ]),

        .target(
            name: "TestSupport",
            dependencies: ["Basics", "Postgres", "HTTPClient", "Contracts", "ServiceIdentity", logging],
            path: "Tests/TestSupport", swiftSettings: strict),
        tests("Basics", ["Basics"]),
        tests("Contracts", ["Contracts"]),
        tests("Postgres", ["Postgres", "TestSupport"]),
        tests("HTTPClient", ["HTTPClient", hummingbird]),
        tests("NeuralNetwork", ["Basics", "NeuralNetwork"], exclude: ["Figures", "ONNX"]),
        tests("Forecasting", ["Basics", "Forecasting"]),
        tests("ServiceIdentity", ["ServiceIdentity", "Contracts"]),
        tests("ServiceKit", ["ServiceKit", "ServiceIdentity", "HTTPClient", "Contracts", hummingbirdTesting]),
        tests("ServiceStorage", ["ServiceStorage", "TestSupport", "Postgres", "Contracts"]),
        tests("Gateway", ["Gateway", "TestSupport", "Contracts", "HTTPClient", "ServiceIdentity", hummingbirdTesting]),
        tests("TenantAdmin", ["TenantAdmin", "TestSupport", "Contracts", "ServiceIdentity", hummingbirdTesting]),
        tests("MLTraining", ["MLTraining", "TestSupport", "Contracts", "Forecasting", hummingbirdTesting]),
        tests("MLPrediction", ["MLPrediction", "TestSupport", "Contracts", "Forecasting", hummingbirdTesting]),
        tests(
            "Ermctl",
            ["Basics", "Ermctl", "TestSupport", "Contracts", "Forecasting", "ServiceIdentity", arguments, hummingbird]),
        // Starts the executables themselves, which `swift build --build-tests` has put beside the test bundle.
        tests("System", ["TestSupport", "Contracts", "HTTPClient"]),
    ]
)
