enum ServiceIdentityStub {}
