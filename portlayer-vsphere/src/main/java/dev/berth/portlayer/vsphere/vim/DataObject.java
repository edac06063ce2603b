package dev.berth.portlayer.vsphere.vim;

import com.fasterxml.jackson.annotation.JsonTypeInfo;

/**
 * A data object of the vSphere API. On the wire every one carries its type's name in {@code
 * _typeName}; without it a server takes the object for something else.
 */
@JsonTypeInfo(
    use = JsonTypeInfo.Id.NAME,
    include = JsonTypeInfo.As.PROPERTY,
    property = "_typeName",
    visible = true)
public interface DataObject {}
