public import Contracts
import Hummingbird

/// Declares routes. `name` is what a client's function is called; `takes` are the headers the handler reads; `fails` are the
/// reasons to refuse that do not follow from the rest.
///
/// In this order a request is judged: who sends it, the path, the query, the body.
extension RouteList {
    /// A route without input: any query is refused.
    public mutating func on<Access: RouteAccess, Answer: RouteAnswer>(
        _ method: RouteMethod, _ path: RoutePath, _ name: String, _ access: Access,
        takes headers: Set<RouteHeader> = [], uploads mediaTypes: [String]? = nil, fails: Set<ErrorCode> = [],
        use handler: @escaping @Sendable (Member) -> @Sendable (Call<Access.Who>) async throws -> Answer
    ) {
        on(method, path, name, access, takes: headers, uploads: mediaTypes, fails: fails, query: NoQuery.self) {
            controller in
            { call, _ in try await handler(controller)(call) }
        }
    }

    /// A route with a query.
    public mutating func on<Access: RouteAccess, Query: RouteQuery, Answer: RouteAnswer>(
        _ method: RouteMethod, _ path: RoutePath, _ name: String, _ access: Access,
        takes headers: Set<RouteHeader> = [], uploads mediaTypes: [String]? = nil, fails: Set<ErrorCode> = [],
        query: Query.Type = Query.self,
        use handler: @escaping @Sendable (Member) -> @Sendable (Call<Access.Who>, Query) async throws -> Answer
    ) {
        let route = DeclaredRoute(
            name: name, method: method, path: path, access: access.rule, query: Query.parameters, headers: headers,
            body: mediaTypes.map { RouteBody(.file($0)) }, answer: Answer.description, fails: fails)
        add(route) { controller, request, context in
            let who = try access.admit(context)
            try path.check(context)
            let query = try Query.read(request)
            let call = Call(who, request, context, headers)
            return try await handler(controller)(call, query).response(to: request)
        }
    }

    /// A route with a JSON body.
    public mutating func on<Access: RouteAccess, Body: RequestPayload, Answer: RouteAnswer>(
        _ method: RouteMethod, _ path: RoutePath, _ name: String, _ access: Access,
        takes headers: Set<RouteHeader> = [], fails: Set<ErrorCode> = [], body: Body.Type = Body.self,
        use handler: @escaping @Sendable (Member) -> @Sendable (Call<Access.Who>, Body) async throws -> Answer
    ) {
        let route = DeclaredRoute(
            name: name, method: method, path: path, access: access.rule, query: [], headers: headers,
            body: RouteBody(.json(Body.self)), answer: Answer.description, fails: fails)
        add(route) { controller, request, context in
            let who = try access.admit(context)
            try path.check(context)
            _ = try NoQuery.read(request)
            let body = try await request.payload(Body.self, context: context)
            let call = Call(who, request, context, headers)
            return try await handler(controller)(call, body).response(to: request)
        }
    }

    /// A route with a query and a JSON body.
    public mutating func on<Access: RouteAccess, Query: RouteQuery, Body: RequestPayload, Answer: RouteAnswer>(
        _ method: RouteMethod, _ path: RoutePath, _ name: String, _ access: Access,
        takes headers: Set<RouteHeader> = [], fails: Set<ErrorCode> = [], query: Query.Type = Query.self,
        body: Body.Type = Body.self,
        use handler: @escaping @Sendable (Member) -> @Sendable (Call<Access.Who>, Query, Body) async throws -> Answer
    ) {
        let route = DeclaredRoute(
            name: name, method: method, path: path, access: access.rule, query: Query.parameters, headers: headers,
            body: RouteBody(.json(Body.self)), answer: Answer.description, fails: fails)
        add(route) { controller, request, context in
            let who = try access.admit(context)
            try path.check(context)
            let query = try Query.read(request)
            let body = try await request.payload(Body.self, context: context)
            let call = Call(who, request, context, headers)
            return try await handler(controller)(call, query, body).response(to: request)
        }
    }

    /// A route whose handler reads the body itself.
    public mutating func on<Access: RouteAccess, Answer: RouteAnswer>(
        _ method: RouteMethod, _ path: RoutePath, _ name: String, _ access: Access,
        takes headers: Set<RouteHeader> = [], reads body: RouteBody, fails: Set<ErrorCode> = [],
        use handler: @escaping @Sendable (Member) -> @Sendable (Call<Access.Who>) async throws -> Answer
    ) {
        let route = DeclaredRoute(
            name: name, method: method, path: path, access: access.rule, query: [], headers: headers, body: body,
            answer: Answer.description, fails: fails)
        add(route) { controller, request, context in
            let who = try access.admit(context)
            try path.check(context)
            _ = try NoQuery.read(request)
            return try await handler(controller)(Call(who, request, context, headers)).response(to: request)
        }
    }

    /// A route with a query and a JSON body that may be left out.
    public mutating func on<Access: RouteAccess, Query: RouteQuery, Body: RequestPayload, Answer: RouteAnswer>(
        _ method: RouteMethod, _ path: RoutePath, _ name: String, _ access: Access,
        takes headers: Set<RouteHeader> = [], fails: Set<ErrorCode> = [], query: Query.Type = Query.self,
        body: Body.Type = Body.self,
        use handler: @escaping @Sendable (Member) -> @Sendable (Call<Access.Who>, Query, Body?) async throws -> Answer
    ) {
        let route = DeclaredRoute(
            name: name, method: method, path: path, access: access.rule, query: Query.parameters, headers: headers,
            body: RouteBody(.json(Body.self), isRequired: false), answer: Answer.description, fails: fails)
        add(route) { controller, request, context in
            let who = try access.admit(context)
            try path.check(context)
            let query = try Query.read(request)
            let body = try await request.optionalPayload(Body.self, context: context)
            let call = Call(who, request, context, headers)
            return try await handler(controller)(call, query, body).response(to: request)
        }
    }

    /// A route with a JSON body that may be left out.
    public mutating func on<Access: RouteAccess, Body: RequestPayload, Answer: RouteAnswer>(
        _ method: RouteMethod, _ path: RoutePath, _ name: String, _ access: Access,
        takes headers: Set<RouteHeader> = [], fails: Set<ErrorCode> = [], body: Body.Type = Body.self,
        use handler: @escaping @Sendable (Member) -> @Sendable (Call<Access.Who>, Body?) async throws -> Answer
    ) {
        let route = DeclaredRoute(
            name: name, method: method, path: path, access: access.rule, query: [], headers: headers,
            body: RouteBody(.json(Body.self), isRequired: false), answer: Answer.description, fails: fails)
        add(route) { controller, request, context in
            let who = try access.admit(context)
            try path.check(context)
            _ = try NoQuery.read(request)
            let body = try await request.optionalPayload(Body.self, context: context)
            let call = Call(who, request, context, headers)
            return try await handler(controller)(call, body).response(to: request)
        }
    }
}

extension DeclaredRoute {
    fileprivate init(
        name: String, method: RouteMethod, path: RoutePath, access: AccessRule, query: [QueryParameter],
        headers: Set<RouteHeader>, body: RouteBody?, answer: AnswerDescription, fails: Set<ErrorCode>
    ) {
        self.name = name
        self.method = method
        self.path = path.absolute(isInternal: access.isInternal)
        pathParameters = path.parameters
        self.access = access
        self.query = query
        self.headers = headers
        self.body = body
        self.answer = answer
        self.fails = fails
    }
}
