package dev.berth.portlayer.vsphere.vim;

/**
 * The parameters of a method, a record in the order of the API's reference. The record is annotated
 * with what the method is.
 *
 * @param <R> what the method returns; {@link Void} for nothing
 */
public interface Request<R> {}
