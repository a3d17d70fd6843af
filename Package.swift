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

// Every module that a target imports is named here and in the target: none comes along with another.
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioHTTPTypesHTTP2 = Target.Dependency.product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let orderedCollections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

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
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        system("CLibpq", pkgConfig: "libpq", apt: "libpq-dev"),
        system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        system("COpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev"),
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        .target(
            name: "CKernels", path: "Shared/CKernels",
            cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-ffp-contract=off"])],
            linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),

        shared("Basics"),
        shared("Contracts", ["Basics"]),
        shared("Ledger", ["Contracts"], numeric),
        shared("Postgres", ["Basics", "CLibpq", crypto, deque, heap, logging, orderedCollections]),
        shared("HTTPClient", ["Basics", "CCurl", logging]),
        shared("NeuralNetwork", ["Basics", "CKernels"], numeric),
        shared("Forecasting", ["Basics", "NeuralNetwork", "CKernels"], numeric),
        shared("ServiceIdentity", ["Basics", "Contracts", "COpenSSL", crypto, cryptoExtras]),
        shared(
            "ServiceKit",
            [
                "Basics", "Contracts", "HTTPClient", "ServiceIdentity", configuration, coreMetrics, crypto, httpTypes,
                hummingbird, hummingbirdCore, lifecycle, logging, nioCore, nioHTTP1, nioHTTPTypes, nioHTTPTypesHTTP1,
                unixSignals,
            ]),
        shared("HistoryFeed", ["Basics", "Contracts", "Forecasting", crypto], numeric),
        shared(
            "ServiceStorage",
            ["Basics", "Contracts", "Postgres", "ServiceKit", crypto, httpTypes, hummingbird, lifecycle, logging]),

        service(
            "Gateway",
            [
                "Basics", "Contracts", "Postgres", "HTTPClient", "ServiceIdentity", "ServiceKit", "ServiceStorage",
                "CZlib", crypto, httpTypes, hummingbird, hummingbirdCore, lifecycle, logging, nioCore, nioHTTP1,
                nioHTTP2, nioHTTPTypes, nioHTTPTypesHTTP2, nioPosix, nioSSL, nioTLS, yams,
            ]),
        service(
            "TenantAdmin",
            [
                "Basics", "Contracts", "Ledger", "Postgres", "HTTPClient", "ServiceIdentity", "ServiceKit",
                "ServiceStorage", crypto, httpTypes, hummingbird, lifecycle, logging, nioCore,
            ]),
        service(
            "MLTraining",
            [
                "Basics", "Contracts", "Postgres", "HTTPClient", "Forecasting", "ServiceKit", "HistoryFeed",
                "ServiceStorage", crypto, httpTypes, hummingbird, lifecycle, logging,
            ]),
        service(
            "MLPrediction",
            [
                "Basics", "Contracts", "Ledger", "Postgres", "NeuralNetwork", "Forecasting", "ServiceKit",
                "HistoryFeed",
                "ServiceStorage", crypto, httpTypes, hummingbird, lifecycle, logging, nioCore,
            ]),
        service(
            "Ermctl",
            [
                "Basics", "Contracts", "HTTPClient", "NeuralNetwork", "Forecasting", "ServiceIdentity", "HistoryFeed",
                arguments, crypto, logging,
            ]),

        .target(
            name: "TestSupport", dependencies: ["Basics", "Contracts", "Postgres", "ServiceKit", logging, yams],
            path: "Tests/TestSupport", swiftSettings: strict),
        tests("Basics", ["Basics"]),
        tests("Contracts", ["Basics", "Contracts", "TestSupport"]),
        tests("Ledger", ["Basics", "Contracts", "Ledger"]),
        tests("Postgres", ["Postgres", "TestSupport"]),
        tests("HTTPClient", ["Basics", "HTTPClient", hummingbird, logging, nioCore]),
        tests("NeuralNetwork", ["Basics", "NeuralNetwork"], exclude: ["Figures", "ONNX"]),
        tests("Forecasting", ["Basics", "NeuralNetwork", "Forecasting"]),
        tests("ServiceIdentity", ["Basics", "Contracts", "ServiceIdentity", crypto]),
        tests(
            "ServiceKit",
            [
                "Basics", "Contracts", "HTTPClient", "ServiceIdentity", "ServiceKit", httpTypes, hummingbird,
                hummingbirdTesting, lifecycle, logging, nioCore, nioEmbedded, nioHTTP1, nioPosix,
            ]),
        tests(
            "ServiceStorage",
            ["Contracts", "Postgres", "ServiceKit", "ServiceStorage", "TestSupport", httpTypes, lifecycle, logging]),
        tests(
            "Gateway",
            [
                "Basics", "Contracts", "Postgres", "HTTPClient", "ServiceIdentity", "ServiceKit", "ServiceStorage",
                "Gateway", "TestSupport", crypto, httpTypes, hummingbird, hummingbirdTesting, lifecycle, logging,
                nioCore,
                nioHPACK, nioPosix, nioSSL,
            ]),
        tests(
            "TenantAdmin",
            [
                "Basics", "Contracts", "Ledger", "Postgres", "HTTPClient", "Forecasting", "ServiceIdentity",
                "ServiceKit",
                "HistoryFeed", "ServiceStorage", "TenantAdmin", "MLPrediction", "TestSupport", crypto, httpTypes,
                hummingbird, hummingbirdTesting, lifecycle, logging, nioCore,
            ]),
        tests(
            "MLTraining",
            [
                "Basics", "Contracts", "Postgres", "HTTPClient", "NeuralNetwork", "Forecasting", "ServiceIdentity",
                "ServiceKit", "HistoryFeed", "ServiceStorage", "MLTraining", "TestSupport", httpTypes, hummingbird,
                hummingbirdTesting, lifecycle, logging, nioCore,
            ]),
        tests(
            "MLPrediction",
            [
                "Basics", "Contracts", "Ledger", "Postgres", "HTTPClient", "NeuralNetwork", "Forecasting",
                "ServiceIdentity", "ServiceKit", "HistoryFeed", "ServiceStorage", "MLPrediction", "TestSupport",
                httpTypes, hummingbird,
                hummingbirdTesting, logging, nioCore,
            ]),
        // What computes for seconds, apart from what waits for sockets.
        tests(
            "Simulation",
            ["Basics", "Contracts", "Forecasting", "HistoryFeed", "MLPrediction", "Ermctl", "TestSupport"]),
        tests(
            "Ermctl",
            [
                "Basics", "Contracts", "Forecasting", "ServiceIdentity", "Ermctl", "TestSupport", arguments, crypto,
                httpTypes, hummingbird, logging, nioCore,
            ]),
        // Starts the executables themselves, which `swift build --build-tests` has put beside the test bundle.
        tests("System", ["Contracts", "HTTPClient", "TestSupport"]),
    ]
)
