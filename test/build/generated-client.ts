/**
 * Stands in for the generated client of `@kubernetes/client-node`, a third of the bundle and of the time that it takes to
 * load. Its reader of kubeconfig files asks for it in `makeApiClient` alone, which sluice does not call.
 */

export { notInBundle as createConfiguration, notInBundle as ServerConfiguration };

function notInBundle(): never {
  throw new Error('the generated client of @kubernetes/client-node is not in this bundle');
}
