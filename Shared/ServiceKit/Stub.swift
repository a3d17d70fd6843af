enum ServiceKitStub {}
